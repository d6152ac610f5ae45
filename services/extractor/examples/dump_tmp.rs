fn main() {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).unwrap();
        match clinflow_ingest::ingest(&bytes, "", &clinflow_ingest::Limits::default()) {
            Ok(i) => std::fs::write(format!("/tmp/ext/{}.txt", path.replace('/', "_")), i.text.text).unwrap(),
            Err(e) => eprintln!("{path}: {e}"),
        }
    }
}
