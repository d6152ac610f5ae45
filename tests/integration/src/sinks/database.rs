//! What is in Redis and DynamoDB, asked in their own protocols, and what was ever said to Redis.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use clinflow_testkit::{dynamodb::DynamoDb, redis::Redis};
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};

use super::Sink;

/// A connection that speaks RESP.
struct Resp(BufReader<TcpStream>);

impl Resp {
    fn connect(redis: &Redis) -> anyhow::Result<Self> {
        let address = redis.url();
        let address = address.strip_prefix("redis://").context("a URL of Redis")?;
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Every text in the answer to a command, in order.
    fn ask(&mut self, words: &[&[u8]]) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut command = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            command.extend(format!("${}\r\n", word.len()).into_bytes());
            command.extend(*word);
            command.extend(b"\r\n");
        }
        self.0.get_mut().write_all(&command)?;
        let mut texts = Vec::new();
        self.answer(&mut texts)?;
        Ok(texts)
    }

    fn answer(&mut self, texts: &mut Vec<Vec<u8>>) -> anyhow::Result<()> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let line = line.trim_end();
        let (kind, rest) = line.split_at_checked(1).context("Redis says nothing")?;
        match kind {
            "+" | ":" => texts.push(rest.into()),
            "-" => bail!("Redis says `{rest}`"),
            "$" => {
                if let Ok(length) = rest.parse::<usize>() {
                    let mut text = vec![0; length + 2];
                    self.0.read_exact(&mut text)?;
                    text.truncate(length);
                    texts.push(text);
                }
            }
            "*" => {
                for _ in 0..rest.parse::<usize>().unwrap_or_default() {
                    self.answer(texts)?;
                }
            }
            _ => bail!("Redis says `{line}`, which is not understood"),
        }
        Ok(())
    }
}

/// Every key of Redis with its value.
pub fn redis(redis: &Redis) -> anyhow::Result<Vec<Sink>> {
    let mut resp = Resp::connect(redis)?;
    let mut sinks = Vec::new();
    for key in resp.ask(&[b"KEYS", b"*"])? {
        let kind = resp.ask(&[b"TYPE", &key])?.pop().unwrap_or_default();
        let value = match kind.as_slice() {
            b"string" => resp.ask(&[b"GET", &key])?,
            b"hash" => resp.ask(&[b"HGETALL", &key])?,
            b"list" => resp.ask(&[b"LRANGE", &key, b"0", b"-1"])?,
            b"set" => resp.ask(&[b"SMEMBERS", &key])?,
            b"zset" => resp.ask(&[b"ZRANGE", &key, b"0", b"-1"])?,
            b"stream" => resp.ask(&[b"XRANGE", &key, b"-", b"+"])?,
            // It ended between two commands.
            b"none" => continue,
            other => bail!("a key of type `{}` is not searched", String::from_utf8_lossy(other)),
        };
        sinks.push(Sink::new(format!("redis {}", String::from_utf8_lossy(&key)), value.join(&b'\n')));
    }
    Ok(sinks)
}

/// Every command that Redis is given, also those whose keys are long gone at the end.
pub struct Monitor(Arc<Mutex<Vec<u8>>>);

impl Monitor {
    /// Listens from now on, until Redis ends.
    pub fn open(redis: &Redis) -> anyhow::Result<Self> {
        let mut resp = Resp::connect(redis)?;
        ensure!(resp.ask(&[b"MONITOR"])? == [b"OK"], "Redis does not let anybody listen");
        resp.0.get_ref().set_read_timeout(None)?;
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let to = heard.clone();
        thread::spawn(move || {
            let mut piece = [0; 65_536];
            while let Ok(length @ 1..) = resp.0.read(&mut piece) {
                to.lock().unwrap_or_else(PoisonError::into_inner).extend(&piece[..length]);
            }
        });
        Ok(Self(heard))
    }

    /// What was heard.
    pub fn sink(&self) -> Sink {
        Sink::new("commands to redis", self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// Every item of every table of DynamoDB.
pub async fn dynamodb(database: &DynamoDb) -> anyhow::Result<Vec<Sink>> {
    let mut sinks = Vec::new();
    let tables = call(database, "ListTables", &json!({})).await?;
    let tables = tables["TableNames"].as_array().context("DynamoDB lists its tables")?;
    for table in tables.iter().filter_map(Value::as_str) {
        let mut scan = json!({"TableName": table});
        loop {
            let page = call(database, "Scan", &scan).await?;
            for item in page["Items"].as_array().context("a scan has items")? {
                sinks.push(Sink::new(format!("dynamodb {table}"), item.to_string()));
            }
            match page.get("LastEvaluatedKey") {
                Some(last) => scan["ExclusiveStartKey"] = last.clone(),
                None => break,
            }
        }
    }
    Ok(sinks)
}

async fn call(database: &DynamoDb, operation: &str, body: &Value) -> anyhow::Result<Value> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(database.endpoint())
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .header("x-amz-date", "20260101T000000Z")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
             SignedHeaders=host;x-amz-date;x-amz-target, Signature=0",
        )
        .body(Full::new(Bytes::from(body.to_string())))?;
    let response = Client::builder(TokioExecutor::new()).build_http().request(request).await?;
    let status = response.status();
    let answer: Value = serde_json::from_slice(&response.into_body().collect().await?.to_bytes())?;
    ensure!(status.is_success(), "DynamoDB answers {operation} with {status}: {answer}");
    Ok(answer)
}
