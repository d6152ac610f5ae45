//! temp
use std::collections::HashMap;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let kind = &a[2];
    let label = &a[3];
    let f = std::fs::read_to_string(&a[1]).unwrap();
    let (mut miss, mut spur): (HashMap<String, u32>, HashMap<String, u32>) = Default::default();
    for l in f.lines() {
        let v: serde_json::Value = serde_json::from_str(l).unwrap();
        let t = v["text"].as_str().unwrap();
        let an = clinflow_clinical::annotate(t);
        let found: Vec<(usize, usize)> = if label == "section" {
            an.sections.iter().map(|s| (s.heading.byte_start, s.heading.byte_end)).collect()
        } else {
            an.entities
                .iter()
                .filter(|e| e.label.as_str() == label)
                .map(|e| (e.span.byte_start, e.span.byte_end))
                .collect()
        };
        let gold: Vec<(usize, usize)> = v["spans"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|s| s["type"] == kind.as_str())
            .map(|s| (s["bstart"].as_u64().unwrap() as usize, s["bend"].as_u64().unwrap() as usize))
            .collect();
        for g in &gold {
            if !found.contains(g) {
                *miss.entry(t[g.0..g.1].to_lowercase()).or_default() += 1;
            }
        }
        for g in &found {
            if !gold.iter().any(|x| x.0 < g.1 && g.0 < x.1) {
                *spur.entry(t[g.0..g.1].to_owned()).or_default() += 1;
            }
        }
    }
    for (n, m) in [("MISS", miss), ("SPUR", spur)] {
        let mut v: Vec<_> = m.into_iter().collect();
        v.sort_by_key(|x| std::cmp::Reverse(x.1));
        println!("{n} {:?}", &v[..v.len().min(90)]);
    }
}
