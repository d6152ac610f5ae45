//! Whom to believe, and what that allows.

use std::{collections::BTreeMap, time::Duration};

use clinflow_core::WorkflowId;
use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use reqwest::Url;
use serde::{Deserialize, Serialize};

/// The name that stands for every workflow, `auto` included.
pub(crate) const EVERY: &str = "*";

/// Who may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthSettings {
    /// Everybody on this machine, for development.
    None,
    /// Whoever has a token of an issuer.
    Jwt(Box<JwtSettings>),
}

/// What a token is for, as Cognito says it in `token_use`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenUse {
    /// To call something.
    Access,
    /// To say who somebody is.
    Id,
}

/// A token's issuer and what its groups allow. The defaults fit Amazon Cognito.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JwtSettings {
    /// The `iss` of every token: `https://cognito-idp.<region>.amazonaws.com/<pool>`.
    pub issuer: String,
    /// Where the issuer's keys are; empty is `<issuer>/.well-known/jwks.json`. Plain `http` on a loopback
    /// address only.
    pub keys: String,
    /// Clients whose tokens count: one of them must be in `aud`, or be the `client_id` of a token without `aud`.
    pub audience: Vec<String>,
    /// What a token may be for; empty does not ask, for issuers that do not say.
    pub token_use: Vec<TokenUse>,
    /// The claim that lists the caller's groups.
    pub groups_claim: String,
    /// Workflows each group may use, by group; `"*"` is every workflow, `"auto"` lets the classifier choose.
    pub groups: BTreeMap<String, Vec<String>>,
    /// Groups whose members may replay, drop, redrive, rerun and abort what they see.
    pub operators: Vec<String>,
    /// Groups whose members may settle review items of what they see.
    pub reviewers: Vec<String>,
    /// How far the issuer's clock and ours may be apart.
    #[serde(with = "friendly")]
    pub leeway: Duration,
    /// How long fetched keys are used before they are fetched again.
    #[serde(with = "friendly")]
    pub keep_keys: Duration,
    /// How often keys are fetched at most, whatever tokens name.
    #[serde(with = "friendly")]
    pub fetch_at_most_every: Duration,
}

impl Default for JwtSettings {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            keys: String::new(),
            audience: Vec::new(),
            token_use: vec![TokenUse::Access, TokenUse::Id],
            groups_claim: "cognito:groups".to_owned(),
            groups: BTreeMap::new(),
            operators: vec!["operators".to_owned()],
            reviewers: vec!["reviewers".to_owned()],
            leeway: Duration::from_secs(60),
            keep_keys: Duration::from_secs(3600),
            fetch_at_most_every: Duration::from_secs(30),
        }
    }
}

impl JwtSettings {
    /// Where the issuer's keys are.
    pub fn keys_url(&self) -> String {
        if self.keys.is_empty() {
            format!("{}/.well-known/jwks.json", self.issuer.trim_end_matches('/'))
        } else {
            self.keys.clone()
        }
    }

    /// What is wrong with these settings.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.issuer.is_empty() {
            problems.push("`auth.jwt.issuer` is empty: name the issuer of the tokens".to_owned());
        } else if !trustworthy(&self.keys_url()) {
            let url = self.keys_url();
            problems.push(format!("`auth.jwt.keys` is `{url}`: keys are fetched over https only"));
        }
        if self.audience.is_empty() {
            problems.push("`auth.jwt.audience` is empty: name the clients whose tokens count".to_owned());
        }
        if self.groups.is_empty() {
            problems.push("`auth.jwt.groups` is empty: nobody could use any workflow".to_owned());
        }
        for (group, workflows) in &self.groups {
            for workflow in workflows {
                if workflow != EVERY && WorkflowId::new(workflow).is_err() {
                    problems.push(format!("`auth.jwt.groups.{group}`: `{workflow}` is not a workflow id"));
                }
            }
        }
        if self.fetch_at_most_every.is_zero() {
            problems.push(
                "`auth.jwt.fetch_at_most_every` is 0: any caller could make us ask the issuer".to_owned(),
            );
        }
        problems
    }
}

/// Whether keys from `url` are the issuer's: fetched over TLS, or from this machine.
fn trustworthy(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    match url.scheme() {
        "https" => true,
        "http" => url.host_str().is_some_and(|host| {
            host == "localhost"
                || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{JwtSettings, trustworthy};

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        for url in [
            "https://issuer.example.org/keys",
            "http://127.0.0.1:1/keys",
            "http://[::1]/",
            "http://localhost/k",
        ] {
            assert!(trustworthy(url), "{url}");
        }
        for url in [
            "http://issuer.example.org/keys",
            "http://192.0.2.1/",
            "file:///keys",
            "keys",
            "http://127.0.0.1.example.org/",
        ] {
            assert!(!trustworthy(url), "{url}");
        }
    }

    #[test]
    fn settings_that_would_let_nobody_or_anybody_in_are_named() {
        let settings = JwtSettings {
            groups: [("pv".to_owned(), vec!["ae report".to_owned()])].into(),
            issuer: "http://issuer.example.org".to_owned(),
            ..JwtSettings::default()
        };
        assert_eq!(
            settings.problems(),
            [
                "`auth.jwt.keys` is `http://issuer.example.org/.well-known/jwks.json`: keys are fetched over https only",
                "`auth.jwt.audience` is empty: name the clients whose tokens count",
                "`auth.jwt.groups.pv`: `ae report` is not a workflow id",
            ]
        );
    }
}
