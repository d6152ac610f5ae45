//! Writes small PDFs by hand, so that each test shows what it is about: no generator, no binary files.

pub(crate) mod encrypt;

/// A PDF under construction. Object 1 is the catalogue, object 2 the page tree, object 3 Helvetica.
pub(crate) struct Builder {
    objects: Vec<(usize, Vec<u8>)>,
    pages: Vec<usize>,
    next: usize,
    /// Further entries of the trailer.
    pub(crate) trailer: String,
}

/// Where Letter paper ends, in points.
pub(crate) const PAPER: &str = "/MediaBox [0 0 612 792]";

impl Builder {
    pub(crate) fn new() -> Self {
        let font =
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec();
        Self { objects: vec![(3, font)], pages: Vec::new(), next: 4, trailer: String::new() }
    }

    /// Adds an object and returns its number.
    pub(crate) fn object(&mut self, body: impl Into<Vec<u8>>) -> usize {
        let number = self.next;
        self.next += 1;
        self.objects.push((number, body.into()));
        number
    }

    /// The number the next object will have.
    pub(crate) fn next(&self) -> usize {
        self.next
    }

    /// Adds a stream object with the given entries in its dictionary.
    pub(crate) fn stream(&mut self, entries: &str, data: &[u8]) -> usize {
        let mut body = format!("<< {entries} /Length {} >>\nstream\n", data.len()).into_bytes();
        body.extend_from_slice(data);
        body.extend_from_slice(b"\nendstream");
        self.object(body)
    }

    /// Adds a page that draws `content`, with further entries for the page and for its resources.
    pub(crate) fn page(&mut self, content: &str, entries: &str, resources: &str) {
        let content = self.stream("", content.as_bytes());
        self.page_of(content, entries, resources);
    }

    /// Adds a page that draws the stream with the number `content`.
    pub(crate) fn page_of(&mut self, content: usize, entries: &str, resources: &str) {
        let page = self.object(format!(
            "<< /Type /Page /Parent 2 0 R {PAPER} {entries} /Contents {content} 0 R \
             /Resources << /Font << /F1 3 0 R >> {resources} >> >>"
        ));
        self.pages.push(page);
    }

    /// The file.
    pub(crate) fn build(mut self) -> Vec<u8> {
        let kids: String = self.pages.iter().map(|page| format!("{page} 0 R ")).collect();
        self.objects.push((1, b"<< /Type /Catalog /Pages 2 0 R >>".to_vec()));
        self.objects
            .push((2, format!("<< /Type /Pages /Count {} /Kids [{kids}] >>", self.pages.len()).into_bytes()));
        self.objects.sort_by_key(|(number, _)| *number);

        let mut file = b"%PDF-1.7\n".to_vec();
        let mut xref = format!("xref\n0 {}\n0000000000 65535 f \n", self.next);
        for (number, body) in &self.objects {
            xref.push_str(&format!("{:010} 00000 n \n", file.len()));
            file.extend_from_slice(format!("{number} 0 obj\n").as_bytes());
            file.extend_from_slice(body);
            file.extend_from_slice(b"\nendobj\n");
        }
        let at = file.len();
        let trailer = format!("trailer\n<< /Size {} /Root 1 0 R {} >>\n", self.next, self.trailer);
        file.extend_from_slice(xref.as_bytes());
        file.extend_from_slice(trailer.as_bytes());
        file.extend_from_slice(format!("startxref\n{at}\n%%EOF\n").as_bytes());
        file
    }
}

/// A PDF of one page that draws `content`.
pub(crate) fn one_page(content: &str) -> Vec<u8> {
    let mut builder = Builder::new();
    builder.page(content, "", "");
    builder.build()
}

/// Content that writes each `(x, y, text)` in 10 points; `y` counts upwards from the foot of the page.
pub(crate) fn write(texts: &[(u16, u16, &str)]) -> String {
    texts.iter().map(|(x, y, text)| format!("BT /F1 10 Tf {x} {y} Td ({text}) Tj ET\n")).collect()
}
