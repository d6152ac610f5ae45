//! temp
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let f = std::fs::read_to_string(&a[1]).unwrap();
    for l in f.lines().step_by(23) {
        let v: serde_json::Value = serde_json::from_str(l).unwrap();
        let t = v["text"].as_str().unwrap();
        let an = clinflow_clinical::annotate(t);
        let gold: Vec<&str> = v["spans"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|s| s["type"] == "AE")
            .map(|s| s["text"].as_str().unwrap())
            .collect();
        println!(
            "{t}\n   GOLD {gold:?}\n   {:?}",
            an.entities
                .iter()
                .filter(|e| ["drug", "condition", "symptom", "adverse_event"].contains(&e.label.as_str()))
                .map(|e| format!("{}:{}", e.label, e.span.of(t).unwrap()))
                .collect::<Vec<_>>()
        );
    }
}
