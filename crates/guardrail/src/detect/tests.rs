//! What is found, and what is left alone.

use super::{Identifier, Wanted, find};
use crate::policy::PiiType;

/// What is found of one type, in the order of the text.
fn of(kind: PiiType, text: &str) -> Vec<&str> {
    let mut found = find(text, &Wanted::Types(vec![kind]));
    found.sort_by_key(|one| one.range.start);
    let mut end = 0;
    // One within another is masked with it.
    found.retain(|one| {
        let before = end;
        end = end.max(one.range.end);
        before < one.range.end
    });
    found.into_iter().map(|one| &text[one.range]).collect()
}

fn everything(text: &str) -> Vec<(&'static str, &str)> {
    let mut found = find(text, &Wanted::SafeHarbor);
    found.sort_by_key(|one| one.range.start);
    found.dedup();
    found.into_iter().map(|one| (one.identifier.as_str(), &text[one.range])).collect()
}

#[test]
fn names_are_told_by_titles_labels_roles_credentials_and_initials() {
    for (text, name) in [
        ("Patient name: Jane Roe, age 41", "Jane Roe"),
        ("PATIENT NAME: ROE, JANE", "ROE, JANE"),
        ("Seen by Dr. Amelia van der Hartwell today", "Amelia van der Hartwell"),
        ("reviewed by Tomasz Wieczorek, RN", "Tomasz Wieczorek"),
        ("a 65-year-old female, Sandra L., with COPD", "Sandra L."),
        ("asthma in a boy like Oyelaran Adeyemi, seen today", "Oyelaran Adeyemi"),
        ("Reporter: O'Brien", "O'Brien"),
    ] {
        assert_eq!(of(PiiType::Name, text), [name], "{text}");
    }
}

#[test]
fn eponyms_drugs_and_headings_are_no_names() {
    for text in [
        "Cushing's syndrome, Wells score 8, Crohn's disease, Hodgkin lymphoma",
        "Adverse Event Report\nStudy Drug: Tacrolimus\nReporter Comment: none",
        "Patient recovered. Subject completed Visit 4. Investigator: not stated",
        "high Framingham risk score and Chaddock reflex",
        "Vitamin D. Hepatitis B. Stage I. Group A.",
    ] {
        assert_eq!(of(PiiType::Name, text), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn a_name_that_is_known_is_found_again_without_its_label() {
    assert_eq!(of(PiiType::Name, "Name: Zora Quill\nLater Quill felt dizzy."), ["Zora Quill", "Quill"]);
}

#[test]
fn telephones_of_many_countries_are_found_and_measurements_are_not() {
    for (text, number) in [
        ("call +44 20 7946 0958 now", "+44 20 7946 0958"),
        ("(617) 555-0142", "(617) 555-0142"),
        ("617-555-0142 x12", "617-555-0142 x12"),
        ("Fax (030) 555-0199.", "(030) 555-0199"),
        ("Tel.: 089/1234567", "089/1234567"),
        ("+1.617.555.0142", "+1.617.555.0142"),
    ] {
        assert_eq!(of(PiiType::Phone, text).first(), Some(&number), "{text}");
    }
    for text in
        ["on 2026-01-09 at 08:15", "ANC 0.3 10*9/L, ALT 120-140 U/L", "Subject 104-0032", "150 mg 3 times"]
    {
        assert_eq!(of(PiiType::Phone, text), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn numbers_need_their_checksum_or_their_label() {
    assert_eq!(of(PiiType::UsSocialSecurityNumber, "457-55-5462 and 666-12-3456"), ["457-55-5462"]);
    assert_eq!(of(PiiType::UsSocialSecurityNumber, "SSN: 666123456"), ["666123456"]);
    assert_eq!(of(PiiType::CardNumber, "4111-1111-1111-1111, 4111-1111-1111-1112"), ["4111-1111-1111-1111"]);
    assert_eq!(of(PiiType::Iban, "GB82 WEST 1234 5698 7654 32"), ["GB82 WEST 1234 5698 7654 32"]);
    assert_eq!(of(PiiType::Password, "password: hunter22; dose 5"), ["hunter22"]);
    assert_eq!(
        of(PiiType::IpAddress, "10.0.0.1 and 2001:db8::ff00:42:8329, 12:30:45"),
        ["10.0.0.1", "2001:db8::ff00:42:8329"]
    );
    assert_eq!(of(PiiType::Age, "a 57-year-old man, aged 57; 57 mg"), ["57", "57"]);
}

#[test]
fn addresses_are_found_with_their_town() {
    for (text, address) in [
        ("lives at 48 Larkspur Avenue, Springfield, IL 62704.", "48 Larkspur Avenue, Springfield, IL 62704"),
        ("Lindenstraße 12, 80331 München", "Lindenstraße 12, 80331 München"),
        ("P.O. Box 1234", "P.O. Box 1234"),
        ("Address: Flat 3, The Old Mill", "Flat 3, The Old Mill"),
    ] {
        assert_eq!(of(PiiType::Address, text), [address], "{text}");
    }
    for text in ["10 Days after the dose", "Grade 3 Street drugs", "ALT 48 U/L, Visit 4"] {
        assert_eq!(of(PiiType::Address, text), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn safe_harbor_takes_dates_places_and_record_numbers_and_leaves_ages_and_years() {
    assert_eq!(
        everything(
            "A 57-year-old seen at Mercy Clinic on May 5th, 2024 (MRN: MC-998877), diagnosed in 2018."
        ),
        [("LOCATION", "Mercy Clinic"), ("DATE", "May 5th, 2024"), ("MEDICAL_RECORD_NUMBER", "MC-998877")]
    );
    assert_eq!(everything("a 93-year-old"), [("AGE", "93")]);
    assert_eq!(everything("Her insurance # is NP-1234AB."), [("HEALTH_PLAN_NUMBER", "NP-1234AB")]);
    assert_eq!(Identifier::Location.as_str(), "LOCATION");
}

#[test]
fn a_label_that_ends_in_no_and_a_dot_names_its_number() {
    for (text, number) in [
        ("Certificate no. ML-5519-220764", "ML-5519-220764"),
        ("Device serial no. SN-PMK-2204-77183", "SN-PMK-2204-77183"),
        ("Employee no. EMP-7719-2063", "EMP-7719-2063"),
        ("Hospital no. 7719-4482", "7719-4482"),
    ] {
        assert_eq!(everything(text).first().map(|(_, found)| *found), Some(number), "{text}");
    }
    assert_eq!(everything("taken from the medical record. 1500 mL were given"), []);
}
