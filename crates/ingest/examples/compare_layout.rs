//! How close the text of a PDF comes to a reference text, and how fast: token recall, precision, order, pages per second.
//!
//! `cargo run --release -p clinflow-ingest --example compare_layout -- FILE.pdf REFERENCE.txt ...`
//! where the reference was made by `pdftotext -layout FILE.pdf REFERENCE.txt`. With `--text FILE`, prints the text.

#![expect(clippy::print_stdout, reason = "this program's output")]

use std::{collections::HashMap, error::Error, fs, time::Instant};

use clinflow_ingest::{Limits, ingest};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, file] = arguments.as_slice()
        && flag == "--text"
    {
        let ingested = ingest(&fs::read(file)?, "", &Limits::default())?;
        println!("{}", ingested.text.text);
        return Ok(());
    }
    println!(
        "{:40} {:>6} {:>7} {:>7} {:>7} {:>9} {:>7} {:>8}",
        "file", "pages", "recall", "prec", "order", "pages/s", "hidden", "unmapped"
    );
    for pair in arguments.chunks(2) {
        let [pdf, reference] = pair else { return Err("give pairs of a PDF and its reference text".into()) };
        let bytes = fs::read(pdf)?;
        let start = Instant::now();
        let ingested = match ingest(&bytes, "application/pdf", &Limits::default()) {
            Ok(ingested) => ingested,
            Err(error) => {
                println!("{pdf}: {}: {error}", error.code());
                continue;
            }
        };
        let seconds = start.elapsed().as_secs_f64();
        let reference = fs::read_to_string(reference)?;
        let ours: Vec<&str> = ingested.text.text.split_whitespace().collect();
        let theirs: Vec<&str> = reference.split_whitespace().collect();
        let common = common(&ours, &theirs) as f64;
        let order = 2.0 * longest_common_subsequence(&ours, &theirs) as f64
            / (ours.len() + theirs.len()).max(1) as f64;
        let pages = ingested.text.pages.len();
        println!(
            "{:40} {pages:6} {:7.4} {:7.4} {order:7.4} {:9.0} {:7} {:8}",
            pdf.rsplit('/').next().unwrap_or(pdf),
            common / theirs.len().max(1) as f64,
            common / ours.len().max(1) as f64,
            pages as f64 / seconds,
            ingested.geometry.pages.iter().map(|page| page.hidden_chars).sum::<u32>(),
            ingested.geometry.pages.iter().map(|page| page.unmapped_chars).sum::<u32>(),
        );
    }
    Ok(())
}

/// How many tokens both have, each as often as the one that has it less often.
fn common(ours: &[&str], theirs: &[&str]) -> usize {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for token in theirs {
        *counts.entry(token).or_default() += 1;
    }
    ours.iter()
        .filter(|token| match counts.get_mut(*token) {
            Some(count @ 1..) => {
                *count -= 1;
                true
            }
            _ => false,
        })
        .count()
}

/// The length of the longest common subsequence, by Myers's greedy algorithm: fast where texts differ little.
fn longest_common_subsequence(a: &[&str], b: &[&str]) -> usize {
    let (n, m) = (a.len() as isize, b.len() as isize);
    let offset = n + m + 1;
    let mut furthest = vec![0isize; (2 * offset + 1) as usize];
    for d in 0..=n + m {
        for k in (-d..=d).step_by(2) {
            let at = (offset + k) as usize;
            let mut x = if k == -d || (k != d && furthest[at - 1] < furthest[at + 1]) {
                furthest[at + 1]
            } else {
                furthest[at - 1] + 1
            };
            while x < n && x - k < m && a[x as usize] == b[(x - k) as usize] {
                x += 1;
            }
            furthest[at] = x;
            if x >= n && x - k >= m {
                return ((n + m - d) / 2) as usize;
            }
        }
    }
    0
}
