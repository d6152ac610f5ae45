//! What a token must say, decided: issuer, audience, use, time, groups. Its signature was checked before.

use std::{collections::BTreeMap, sync::Arc};

use clinflow_core::WorkflowId;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    auth::{
        Allowed, Caller, Rights,
        settings::{EVERY, JwtSettings, TokenUse},
    },
    refusal::Refusal,
};

/// What a token says (RFC 7519 section 4.1, and Cognito's claims).
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<OneOrMany>,
    client_id: Option<String>,
    token_use: Option<String>,
    /// Seconds; JWT allows fractions.
    exp: Option<f64>,
    nbf: Option<f64>,
    /// Everything else: the groups are among it.
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// A claim that is a text or a list of texts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
        .iter()
        .map(String::as_str)
    }
}

/// Decides who a token's bearer is, at `now`.
pub(super) fn judge(claims: &Claims, settings: &JwtSettings, now: Timestamp) -> Result<Caller, Refusal> {
    let refuse = |why| Err(Refusal::BadToken { why });
    if claims.iss.as_deref() != Some(settings.issuer.as_str()) {
        return refuse("another issuer made it");
    }
    let ours = |client: &str| settings.audience.iter().any(|known| known == client);
    let meant_for_us = match (&claims.aud, &claims.client_id) {
        (Some(audience), _) => audience.iter().any(ours),
        // Cognito's access tokens have no `aud`.
        (None, Some(client)) => ours(client),
        (None, None) => false,
    };
    if !meant_for_us {
        return refuse("it is meant for another audience");
    }
    let is_for = |wanted: &TokenUse| {
        claims.token_use.as_deref()
            == Some(match wanted {
                TokenUse::Access => "access",
                TokenUse::Id => "id",
            })
    };
    if !settings.token_use.is_empty() && !settings.token_use.iter().any(is_for) {
        return refuse("it is for another use");
    }
    let (now, leeway) = (now.as_duration().as_secs_f64(), settings.leeway.as_secs_f64());
    match claims.exp {
        // A number that is none compares as false, and must not keep a token alive.
        Some(expiry) if expiry + leeway > now => {}
        Some(_) => return refuse("it has expired"),
        None => return refuse("it never expires"),
    }
    if claims.nbf.is_some_and(|start| start - leeway > now) {
        return refuse("it is not valid yet");
    }
    let groups = groups(claims, settings);
    let in_one_of = |named: &[String]| named.iter().any(|group| groups.contains(&group.as_str()));
    let rights = Rights {
        operate: in_one_of(&settings.operators),
        review: in_one_of(&settings.reviewers),
        proved: true,
    };
    Ok(Caller {
        subject: claims.sub.clone().unwrap_or_default(),
        allowed: allowed(&groups, settings),
        rights,
    })
}

/// The groups a token names.
fn groups<'a>(claims: &'a Claims, settings: &JwtSettings) -> Vec<&'a str> {
    match claims.others.get(&settings.groups_claim) {
        Some(Value::String(group)) => vec![group],
        Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The workflows that the token's groups may use together. No known group: none, and every use is forbidden.
fn allowed(groups: &[&str], settings: &JwtSettings) -> Allowed {
    let names = groups.iter().filter_map(|group| settings.groups.get(*group)).flatten();
    if names.clone().any(|name| name == EVERY) {
        return Allowed::All;
    }
    // Names that are no ids were refused with the configuration.
    Allowed::These(Arc::new(names.filter_map(|name| WorkflowId::new(name).ok()).collect()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn settings() -> JwtSettings {
        JwtSettings {
            issuer: "https://issuer.example.org".to_owned(),
            audience: vec!["upstream".to_owned()],
            groups: [
                ("pv".to_owned(), vec!["ae-report".to_owned()]),
                ("labs".to_owned(), vec!["lab-report".to_owned(), "auto".to_owned()]),
                ("operators".to_owned(), vec!["*".to_owned()]),
            ]
            .into(),
            ..JwtSettings::default()
        }
    }

    /// A good access token, with some claims changed (`null` removes one).
    fn judged(changes: &Value) -> Result<Caller, String> {
        let mut claims = json!({
            "iss": "https://issuer.example.org", "client_id": "upstream", "token_use": "access", "sub": "s-1",
            "exp": NOW + 300, "cognito:groups": ["pv", "unknown"],
        });
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => claims.as_object_mut().unwrap().remove(name),
                value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        let claims = serde_json::from_value(claims).unwrap();
        judge(&claims, &settings(), Timestamp::from_second(NOW).unwrap())
            .map_err(|refusal| refusal.to_string())
    }

    fn why(changes: &Value) -> String {
        judged(changes).unwrap_err().trim_start_matches("the token is not accepted: ").to_owned()
    }

    #[test]
    fn an_access_token_and_an_id_token_of_our_client_are_accepted() {
        assert_eq!(judged(&json!({})).unwrap().subject, "s-1");
        assert!(judged(&json!({"token_use": "id", "client_id": null, "aud": "upstream"})).is_ok());
        assert!(judged(&json!({"client_id": null, "aud": ["other", "upstream"]})).is_ok());
    }

    #[test]
    fn what_is_not_for_us_or_not_now_is_refused() {
        assert_eq!(why(&json!({"iss": "https://issuer.example.org/"})), "another issuer made it");
        assert_eq!(why(&json!({"iss": null})), "another issuer made it");
        assert_eq!(why(&json!({"client_id": "other"})), "it is meant for another audience");
        assert_eq!(why(&json!({"client_id": null})), "it is meant for another audience");
        assert_eq!(why(&json!({"aud": "other"})), "it is meant for another audience", "`aud` comes first");
        assert_eq!(why(&json!({"token_use": "refresh"})), "it is for another use");
        assert_eq!(why(&json!({"token_use": null})), "it is for another use");
        assert_eq!(why(&json!({"exp": null})), "it never expires");
        assert_eq!(why(&json!({"nbf": NOW + 61})), "it is not valid yet");
    }

    #[test]
    fn a_token_lives_until_its_expiry_plus_the_leeway() {
        assert!(judged(&json!({"exp": NOW - 59})).is_ok());
        assert_eq!(why(&json!({"exp": NOW - 60})), "it has expired");
        assert!(judged(&json!({"nbf": NOW + 60})).is_ok());
    }

    #[test]
    fn operating_and_reviewing_are_rights_of_named_groups_and_not_of_a_star() {
        let judged = |groups: Value| {
            let settings = JwtSettings { reviewers: vec!["labs".to_owned()], ..settings() };
            let claims = json!({"iss": "https://issuer.example.org", "client_id": "upstream", "sub": "s-1",
                "token_use": "access", "exp": NOW + 300, "cognito:groups": groups});
            let claims = serde_json::from_value(claims).unwrap();
            judge(&claims, &settings, Timestamp::from_second(NOW).unwrap()).unwrap()
        };
        let rights = |caller: Caller| (caller.check_operator().is_ok(), caller.check_reviewer().is_ok());
        assert_eq!(rights(judged(json!(["operators"]))), (true, false));
        assert_eq!(rights(judged(json!(["labs", "pv"]))), (false, true));
        assert_eq!(rights(judged(json!(["pv"]))), (false, false));
        let name = |said: &str| judged(json!(["labs"])).name(said, "reviewer").unwrap();
        assert_eq!(name("somebody.else"), "s-1", "a token says who it is");
        assert_eq!(Caller::developer().name("jane@example.org", "reviewer").unwrap(), "jane@example.org");
        assert!(Caller::developer().name("Jane Roe, born 1970", "reviewer").is_err());
    }

    #[test]
    fn groups_add_up_and_unknown_ones_allow_nothing() {
        let workflow = |name: &str| WorkflowId::new(name).unwrap();
        let one = judged(&json!({})).unwrap();
        assert!(one.may(&workflow("ae-report")));
        assert!(!one.may(&workflow("lab-report")) && !one.may(&WorkflowId::auto()));
        let two = judged(&json!({"cognito:groups": ["pv", "labs"]})).unwrap();
        assert!(
            two.may(&workflow("ae-report"))
                && two.may(&workflow("lab-report"))
                && two.may(&WorkflowId::auto())
        );
        let all = judged(&json!({"cognito:groups": "operators"})).unwrap();
        assert!(all.may(&workflow("anything")) && all.may(&WorkflowId::auto()));
        for none in [json!(null), json!([]), json!(["PV"]), json!(7)] {
            assert!(!judged(&json!({"cognito:groups": none})).unwrap().may(&workflow("ae-report")));
        }
    }
}
