//! An issuer of tokens: signs them, and serves its keys over HTTP.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, routing::get};
use clinflow_gateway::{AuthSettings, Config, JwtSettings};
use ring::{
    rand::SystemRandom,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::house::{NOW, config};

/// A key that was made for these tests (`openssl genpkey -algorithm RSA`, PKCS #8, DER) and guards nothing.
pub(crate) const FIRST: Key = Key { id: "first", pkcs8: include_bytes!("keys/first.pk8") };
/// Another one.
pub(crate) const SECOND: Key = Key { id: "second", pkcs8: include_bytes!("keys/second.pk8") };

/// A key with its id.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    pub(crate) id: &'static str,
    pkcs8: &'static [u8],
}

impl Key {
    fn pair(self) -> RsaKeyPair {
        RsaKeyPair::from_pkcs8(self.pkcs8).unwrap()
    }

    /// Its public half, as a key set names it.
    fn public(self) -> Value {
        let pair = self.pair();
        let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
        json!({"kty": "RSA", "kid": self.id, "use": "sig", "alg": "RS256", "n": base64(&n), "e": base64(&e)})
    }

    /// A token with this header and these claims, signed by this key.
    pub(crate) fn sign(self, header: &Value, claims: &Value) -> String {
        let message =
            format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.to_string().as_bytes()));
        let pair = self.pair();
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        format!("{message}.{}", base64(&signature))
    }

    /// A good token of this key, with some claims changed.
    pub(crate) fn token(self, changes: Value) -> String {
        let mut claims = json!({
            "iss": "https://issuer.example.org", "client_id": "upstream", "token_use": "access", "sub": "s-1",
            "exp": NOW + 300, "cognito:groups": ["pv"],
        });
        let Value::Object(changes) = changes else { panic!("claims are an object") };
        claims.as_object_mut().unwrap().extend(changes);
        self.sign(&json!({"alg": "RS256", "kid": self.id}), &claims)
    }
}

/// Base64 as tokens have it: the URL's alphabet, unpadded (RFC 4648 section 5).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte))
            << (8 * (3 - three.len()));
        for n in 0..=three.len() {
            text.push(char::from(ALPHABET[(number >> (18 - 6 * n) & 63) as usize]));
        }
    }
    text
}

/// Serves a key set.
pub(crate) struct Issuer {
    address: SocketAddr,
    keys: Arc<Mutex<Vec<Key>>>,
    asked: Arc<AtomicUsize>,
    _server: tokio::task::JoinSet<()>,
}

impl Issuer {
    /// An issuer with these keys.
    pub(crate) async fn with(keys: Vec<Key>) -> Self {
        let (keys, asked) = (Arc::new(Mutex::new(keys)), Arc::new(AtomicUsize::new(0)));
        let (served, counter) = (keys.clone(), asked.clone());
        let answer = move || {
            counter.fetch_add(1, Ordering::SeqCst);
            // Keys for other uses stand beside those for signatures.
            let mut set = vec![json!({"kty": "EC", "kid": "ec", "crv": "P-256", "x": "AA", "y": "AA"})];
            set.extend(served.lock().unwrap().iter().map(|key| key.public()));
            std::future::ready(json!({"keys": set}).to_string())
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/keys", get(answer));
        let mut server = tokio::task::JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, keys, asked, _server: server }
    }

    /// Replaces its keys.
    pub(crate) fn rotate(&self, keys: Vec<Key>) {
        *self.keys.lock().unwrap() = keys;
    }

    /// How often it was asked for its keys.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A gateway's configuration that trusts this issuer: `pv` may use `ae-report`, `operators` everything.
    pub(crate) fn trusted(&self) -> Config {
        let settings = JwtSettings {
            issuer: "https://issuer.example.org".to_owned(),
            keys: format!("http://{}/keys", self.address),
            audience: vec!["upstream".to_owned()],
            groups: [
                ("pv".to_owned(), vec!["ae-report".to_owned()]),
                ("operators".to_owned(), vec!["*".to_owned()]),
            ]
            .into(),
            ..JwtSettings::default()
        };
        Config { auth: AuthSettings::Jwt(Box::new(settings)), ..config() }
    }
}
