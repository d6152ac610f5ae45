//! The scripts of the counters, each with what all of them share before it.

use redis::Script;

/// All of them. `#!lua` makes Redis itself refuse keys of other slots.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) reserve: Script,
    pub(super) dispatch: Script,
    pub(super) settle: Script,
    pub(super) release: Script,
    pub(super) suspend: Script,
    pub(super) expired: Script,
    pub(super) take: Script,
    pub(super) reach: Script,
    pub(super) begin: Script,
    pub(super) open: Script,
}

/// The script of a file.
macro_rules! script {
    ($name:literal) => {
        Script::new(concat!(
            "#!lua\n",
            include_str!("../scripts/counters/common.lua"),
            include_str!(concat!("../scripts/counters/", $name, ".lua"))
        ))
    };
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            reserve: script!("reserve"),
            dispatch: script!("dispatch"),
            settle: script!("settle"),
            release: script!("release"),
            suspend: script!("suspend"),
            expired: script!("expired"),
            take: script!("take"),
            reach: script!("reach"),
            begin: script!("begin"),
            open: script!("open"),
        }
    }
}
