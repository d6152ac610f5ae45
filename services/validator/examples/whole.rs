//! tmp
use clinflow_core::*;
use clinflow_ingest::*;
#[expect(clippy::print_stdout, reason = "x")]
fn main() -> anyhow::Result<()> {
    let files = clinflow_workflow::shipped();
    let compiled = clinflow_extractor::Compiled::read(&files).map_err(|e| anyhow::anyhow!("{e}"))?;
    let bundle = clinflow_workflow::Bundle::read(&files)?;
    let mut total = [std::time::Duration::ZERO; 4];
    let mut n = 0u32;
    for path in std::env::args().skip(1) {
        let wf = path.split('/').rev().nth(1).unwrap().to_owned();
        let id = WorkflowId::new(wf)?;
        let bytes = std::fs::read(&path)?;
        let kind = if path.ends_with("pdf") { "application/pdf" } else { "text/plain" };
        let Ok(text) = ingest(&bytes, kind, &Limits::default()).map(|i| i.text) else { continue };
        let workflow = bundle.workflow(&id).unwrap();
        let prepared = compiled.workflow(&id).unwrap();
        let t0 = std::time::Instant::now();
        let a = clinflow_extractor::extract(&text, prepared, uuid::Uuid::nil());
        let t1 = std::time::Instant::now();
        let claims = clinflow_nlp::local::claims(&text.text, &clinflow_nlp::wanted::wanted(workflow));
        let agent = workflow.id.agent(Role::Nlp);
        let author = clinflow_nlp::fields::Author {
            agent_id: &agent,
            invocation_id: uuid::Uuid::nil(),
            model: "local/1",
        };
        let b = clinflow_nlp::fields::field_set(&text, claims, &author);
        let t2 = std::time::Instant::now();
        let v = clinflow_validator::validate::validate(clinflow_validator::validate::Input {
            text: &text,
            workflow,
            sets: vec![a, b],
            missing: &[],
            today: jiff::civil::date(2026, 6, 1),
        });
        let t3 = std::time::Instant::now();
        for (i, d) in [t1 - t0, t2 - t1, t3 - t2].into_iter().enumerate() {
            total[i] += d;
        }
        n += 1;
        println!("== {path} review={} fields={}", v.needs_review, v.fields.fields.len());
        for f in &v.fields.findings {
            println!("   {} {:?} {:?}[{:?}] {}", f.rule, f.severity, f.field, f.index, f.message.expose());
        }
    }
    println!(
        "extract {:?} nlp {:?} validate {:?} per document over {n}",
        total[0] / n,
        total[1] / n,
        total[2] / n
    );
    Ok(())
}
