//! A child process that does not outlive the test.

use std::process::{Child, Command};

/// Kills and reaps its child when dropped.
#[derive(Debug)]
pub struct Owned(Child);

impl Owned {
    /// Starts `command`.
    pub fn start(command: &mut Command) -> std::io::Result<Self> {
        command.spawn().map(Self)
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// The exit status, if it has ended.
    pub fn ended(&mut self) -> std::io::Result<Option<std::process::ExitStatus>> {
        self.0.try_wait()
    }

    /// `kill -9`, and waits for the end.
    pub fn kill(&mut self) {
        // Both fail only when the process is gone already, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.kill();
    }
}
