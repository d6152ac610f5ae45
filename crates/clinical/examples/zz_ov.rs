//! temp
use std::collections::HashMap;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let f = std::fs::read_to_string(&a[1]).unwrap();
    let (mut pre, mut post, mut none): (HashMap<String, u32>, HashMap<String, u32>, HashMap<String, u32>) =
        Default::default();
    for l in f.lines() {
        let v: serde_json::Value = serde_json::from_str(l).unwrap();
        let t = v["text"].as_str().unwrap();
        let an = clinflow_clinical::annotate(t);
        for s in v["spans"].as_array().unwrap().iter().filter(|s| s["type"] == "AE") {
            let (b, e) = (s["bstart"].as_u64().unwrap() as usize, s["bend"].as_u64().unwrap() as usize);
            let hit: Vec<_> =
                an.entities.iter().filter(|x| x.span.byte_start < e && b < x.span.byte_end).collect();
            if let Some(x) = hit.iter().find(|x| x.label.as_str() == "adverse_event") {
                if x.span.byte_start > b {
                    *pre.entry(t[b..x.span.byte_start].to_lowercase()).or_default() += 1;
                }
                if x.span.byte_end < e {
                    *post.entry(t[x.span.byte_end..e].to_lowercase()).or_default() += 1;
                }
            } else if hit.is_empty() {
                *none.entry(t[b..e].to_lowercase()).or_default() += 1;
            } else {
                *none.entry(format!("!{}", hit[0].label)).or_default() += 1;
            }
        }
    }
    for m in [pre, post, none] {
        let mut v: Vec<_> = m.into_iter().collect();
        v.sort_by_key(|x| std::cmp::Reverse(x.1));
        println!("{:?}\n", &v[..v.len().min(110)]);
    }
}
