//! temp
fn main() {
    let t = std::time::Instant::now(); clinflow_clinical::annotate("x"); println!("cold {:?}", t.elapsed());
    for p in ["no fever ", "aspirin rash due to ", "1 ", "1.", "10 mg ", "PLAN: ", "a   B:", "µ", "12/01/2026 ", "if but no ", "ALT 5 ", "<", "\n", "acute acute ", "(", "\u{2013} x "] {
        let s = p.repeat(1_000_000 / p.len());
        let t = std::time::Instant::now();
        let n = clinflow_clinical::annotate(&s).entities.len();
        println!("{:?} {:?} {}", p, t.elapsed(), n);
    }
}
