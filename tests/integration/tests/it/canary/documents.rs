//! A patient who does not exist, with every identifier that the guardrail and HIPAA's Safe Harbor know, in documents of
//! two workflows. Numbers of the study are no identifiers here.

/// Every identifier, by what it is.
pub(super) const IDENTIFIERS: [(&str, &str); 36] = [
    ("name", "Wilhelmina Quastenberg"),
    ("name of a relative", "Balthazar Quastenberg"),
    ("name of the reporter", "Thaddeus Pomfrittlek"),
    ("address", "4417 Larkmoor Crescent"),
    ("town", "Zibbleton"),
    ("phone", "(802) 555-0142"),
    ("fax", "802-555-0197"),
    ("e-mail", "w.quast61@larkmoor.example"),
    ("date of birth", "17-MAR-1961"),
    ("date of birth in words", "17 March 1961"),
    ("date of birth in numbers", "1961-03-17"),
    ("social security number", "536-22-8714"),
    ("medical record number", "MRN 00-7719-4482"),
    ("health plan number", "HPBN-6620-9913-04"),
    ("account", "3391-7742-0058"),
    ("certificate", "ML-5519-220764"),
    ("driver's licence", "VTD-88410273"),
    ("vehicle", "1M8GDM9AXKP042788"),
    ("licence plate", "QZK 7719"),
    ("device", "SN-PMK-2204-77183"),
    ("web address", "https://diary.larkmoor.example/wq61"),
    ("IPv4 address", "203.0.113.77"),
    ("IPv6 address", "2001:db8::77:19a4"),
    ("network card", "02:5e:77:19:a4:c8"),
    ("voice print", "VP-0091-773415"),
    ("photo", "IMG_wquast_face_0317.jpg"),
    ("passport", "519772043"),
    ("card", "4539 5787 6362 1486"),
    ("bank account", "GB33BUKB20201555555555"),
    ("NHS number", "943 476 5919"),
    ("tax number", "912-78-4416"),
    ("national insurance number", "JG 77 19 44 C"),
    ("user name", "wquastvt"),
    ("password", "Zibble!7719x"),
    ("employee", "EMP-7719-2063"),
    ("specimen", "ACC-2026-771903"),
];

/// Those that the shipped guardrail policy names, and the forms of theirs that it says it finds. In an answer on a form
/// the others stand as they were written, because de-identification is what the policy says.
pub(super) const OF_THE_POLICY: [&str; 12] = [
    "Wilhelmina Quastenberg",
    "Thaddeus Pomfrittlek",
    "4417 Larkmoor Crescent",
    "(802) 555-0142",
    "802-555-0197",
    "w.quast61@larkmoor.example",
    "17-MAR-1961",
    "536-22-8714",
    "MRN 00-7719-4482",
    "Thaddeus",
    "Pomfrittlek",
    "w.quast61",
];

/// What is left of an identifier when it is cut: a part of a name, of a road, of an e-mail address.
pub(super) const PIECES: [&str; 8] = [
    "Wilhelmina",
    "Quastenberg",
    "Balthazar",
    "Thaddeus",
    "Pomfrittlek",
    "Larkmoor",
    "w.quast61",
    "diary.larkmoor",
];

/// A form with everything about the patient at its head and in its comments.
pub(super) fn form() -> String {
    let mut text = "\
EXAMPLIA THERAPEUTICS                                            CONFIDENTIAL
Adverse Event Page - printed from EDC                               Form AE-02
==============================================================================
Protocol: ABX-104-301          Site: 104            Subject ID: 104-0032
Visit: Cycle 2 Day 15          Sex: [X] F  [ ] M    Age at onset: 64 y
Report date: 15-JAN-2026       Type of report: [X] Initial  [ ] Follow-up  [ ] Nullification

"
    .to_owned();
    text.push_str(&about());
    text.push_str(
        "
------------------------------------------------------------------------------
AE #1
  Adverse event (verbatim) : febrile neutropenia
  Onset                    : 09-JAN-2026          End : 14-JAN-2026
  CTCAE v5.0 grade         : [ ] 1   [ ] 2   [X] 3   [ ] 4   [ ] 5
  Serious?                 : [X] Yes   [ ] No
     [ ] Death                          [ ] Life-threatening
     [X] Hospitalisation (initial/prolonged)
  Relationship to ABX-104  : [ ] Not related  [ ] Unlikely  [X] Possibly related  [ ] Related
  Action with study drug   : Drug interrupted
  Outcome                  : Recovered

------------------------------------------------------------------------------
STUDY DRUG
  ABX-104   150 mg   PO   BID     Start 20-DEC-2025    Stop (interruption) 09-JAN-2026
  Lot no. 12A-0771                Indication: metastatic urothelial carcinoma

COMMENTS
  Mrs Wilhelmina Quastenberg presented to the emergency department on 09-JAN-2026 with
  T 38.9 C and chills; her husband Balthazar Quastenberg rang (802) 555-0142.
  Afebrile from 11-JAN. Discharged 14-JAN-2026 to 4417 Larkmoor Crescent, Zibbleton.

Investigator: Dr. Thaddeus Pomfrittlek     Role: Principal Investigator
Signed electronically 15-JAN-2026 16:02 UTC
==============================================================================
",
    );
    text
}

/// A form whose answers hold identifiers, one a row: whoever fills in a form writes what he likes.
pub(super) fn hostile() -> String {
    let mut text = "\
Adverse Event Page - printed from EDC                               Form AE-02
Protocol: ABX-104-301          Site: 104            Subject ID: 104-0032
Report date: 15-JAN-2026       Type of report: [X] Initial  [ ] Follow-up

"
    .to_owned();
    for (number, (what, identifier)) in (1..).zip(IDENTIFIERS) {
        text.push_str(&format!(
            "AE #{number}\n  Adverse event (verbatim) : nausea, {what}: {identifier}\n  Onset                    : \
             09-JAN-2026\n  Outcome                  : Recovered\n\n"
        ));
    }
    text.push_str(
        "STUDY DRUG\n  ABX-104   150 mg   PO   BID     Start 20-DEC-2025\n  Lot no. 12A-0771                Indication: \
         pain of Mrs Wilhelmina Quastenberg\n\nInvestigator: Dr. Thaddeus Pomfrittlek     Role: Principal Investigator\n",
    );
    text
}

/// A letter that tells about the patient by name.
pub(super) fn narrative() -> String {
    format!(
        "Fauxbridge University Hospital                       Department of Oncology\n\nPatient narrative\n\nStudy: \
         I7Q-ZX-KPLC   Subject: GB14-0009   27 January 2026\n\nRe: Mrs Wilhelmina Quastenberg\n{}\nDear colleagues,\n\nMrs \
         Quastenberg is a 64-year-old woman who takes part in your trial I7Q-ZX-KPLC of oral vorelnib. Her husband, Balthazar \
         Quastenberg, rang on 8 January 2026 from (802) 555-0142 because Wilhelmina had black stools. She was admitted on \
         9 January 2026 from 4417 Larkmoor Crescent, Zibbleton. The duodenal ulcer haemorrhage was severe and had resolved \
         by 12 January 2026. She was treated with pantoprazole 40 mg intravenously twice daily. She denied rash. The event \
         was considered not related to vorelnib.\n\nYours sincerely,\n\nDr Thaddeus Pomfrittlek, Consultant Oncologist\n",
        about()
    )
}

/// What a registration desk writes down.
fn about() -> String {
    "\
Patient: Wilhelmina Quastenberg      Date of birth: 17-MAR-1961 (17 March 1961, 1961-03-17)
Address: 4417 Larkmoor Crescent, Zibbleton, VT
Phone: (802) 555-0142   Fax: 802-555-0197   E-mail: w.quast61@larkmoor.example
SSN: 536-22-8714   MRN 00-7719-4482   Health plan no: HPBN-6620-9913-04
Next of kin: Balthazar Quastenberg   Account no. 3391-7742-0058
Certificate no. ML-5519-220764   Driver's licence no. VTD-88410273
Vehicle: VIN 1M8GDM9AXKP042788   Licence plate: QZK 7719
Device serial no. SN-PMK-2204-77183   Diary: https://diary.larkmoor.example/wq61
Last login from 203.0.113.77 and 2001:db8::77:19a4 (02:5e:77:19:a4:c8)
Voice print VP-0091-773415   Photo: IMG_wquast_face_0317.jpg   Passport no. 519772043
Card 4539 5787 6362 1486   IBAN GB33BUKB20201555555555   NHS no. 943 476 5919
ITIN 912-78-4416   NI no. JG 77 19 44 C   User name: wquastvt   Password: Zibble!7719x
Employee no. EMP-7719-2063   Specimen accession no. ACC-2026-771903
"
    .to_owned()
}

/// A text on pages of a PDF, in a fixed width, as an old system prints it.
pub(super) fn pdf(text: &str) -> Vec<u8> {
    let lines: Vec<&str> = text.lines().collect();
    let pages: Vec<&[&str]> = lines.chunks(64).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!(
            "<< /Type /Pages /Count {} /Kids [{}] >>",
            pages.len(),
            (0..pages.len()).map(|page| format!("{} 0 R ", 4 + 2 * page)).collect::<String>()
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    for (number, page) in pages.iter().enumerate() {
        let mut content = "BT /F1 9 Tf 11 TL 40 800 Td\n".to_owned();
        for line in *page {
            let escaped = line.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
            content.push_str(&format!("({escaped}) Tj T*\n"));
        }
        content.push_str("ET\n");
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
            5 + 2 * number
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}endstream", content.len()));
    }
    let mut pdf = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        places.push(pdf.len());
        pdf.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let table = pdf.len();
    pdf.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    for place in places {
        pdf.push_str(&format!("{place:010} 00000 n \n"));
    }
    pdf.push_str(&format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n",
        objects.len() + 1
    ));
    pdf.into_bytes()
}
