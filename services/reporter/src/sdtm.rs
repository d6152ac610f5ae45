//! The domains and variables of CDISC SDTM (SDTMIG 3.4) that reports can have, and what fills them.

/// A domain: one dataset.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Domain {
    /// Its two letters.
    pub(crate) code: &'static str,
    /// Its name.
    pub(crate) label: &'static str,
    /// The variable without which a row says nothing; `None` where any of its variables makes a row.
    pub(crate) topic: Option<&'static str>,
    /// Its variables, in the order of the implementation guide.
    pub(crate) variables: &'static [Variable],
}

/// A variable: one column.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its label, of at most 40 characters.
    pub(crate) label: &'static str,
    /// What its values are.
    pub(crate) kind: Kind,
    /// What fills it.
    pub(crate) filling: Filling,
}

/// What the values of a variable are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Words, codes, and dates, which may be partial.
    Text,
    /// A whole number.
    Integer,
    /// A decimal number.
    Decimal,
}

/// What fills a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filling {
    /// The field whose workflow gives it this variable.
    Field,
    /// The study.
    Study,
    /// The domain's code.
    Domain,
    /// The study and the subject, which together name the subject everywhere.
    Subject,
    /// The position of the row, from 1.
    Sequence,
    /// Where the record has the row: `event/2`.
    Place,
    /// These words.
    Constant(&'static str),
    /// The number of that variable's field, where it is one.
    NumberOf(&'static str),
    /// The words of that variable's field, where they are no number.
    WordsOf(&'static str),
    /// The value of that variable, again.
    CopyOf(&'static str),
    /// The unit of that variable's field, in CDISC's spelling.
    UnitOf(&'static str),
    /// The short name of the laboratory test, where it is known.
    TestCode,
    /// The name of the laboratory test, as printed where it is not known.
    TestName,
}

impl Filling {
    /// The variable whose field it needs; `None` for what every row has.
    pub(crate) const fn needs(self, own: &'static str) -> Option<&'static str> {
        match self {
            Self::Field => Some(own),
            Self::NumberOf(other) | Self::WordsOf(other) | Self::CopyOf(other) | Self::UnitOf(other) => {
                Some(other)
            }
            Self::TestCode | Self::TestName => Some("LBTEST"),
            Self::Study | Self::Domain | Self::Subject | Self::Sequence | Self::Place | Self::Constant(_) => {
                None
            }
        }
    }
}

impl Variable {
    /// Its place among the keys of its dataset, from 1.
    pub(crate) const fn key(&self) -> Option<u64> {
        match self.filling {
            Filling::Study => Some(1),
            Filling::Subject => Some(2),
            Filling::Sequence => Some(3),
            _ => None,
        }
    }
}

const fn text(name: &'static str, label: &'static str) -> Variable {
    Variable { name, label, kind: Kind::Text, filling: Filling::Field }
}

const fn filled(name: &'static str, label: &'static str, filling: Filling) -> Variable {
    Variable { name, label, kind: Kind::Text, filling }
}

const fn decimal(name: &'static str, label: &'static str, of: &'static str) -> Variable {
    Variable { name, label, kind: Kind::Decimal, filling: Filling::NumberOf(of) }
}

const fn sequence(name: &'static str) -> Variable {
    Variable { name, label: "Sequence Number", kind: Kind::Integer, filling: Filling::Sequence }
}

const fn place(name: &'static str) -> Variable {
    filled(name, "Sponsor-Defined Identifier", Filling::Place)
}

const STUDY: Variable = filled("STUDYID", "Study Identifier", Filling::Study);
const DOMAIN: Variable = filled("DOMAIN", "Domain Abbreviation", Filling::Domain);
const SUBJECT: Variable = filled("USUBJID", "Unique Subject Identifier", Filling::Subject);

/// The domains, in the order in which outputs show them.
pub(crate) const DOMAINS: [&Domain; 7] = [&DM, &EX, &CM, &AE, &MH, &HO, &LB];

/// Demographics: what is said about the subject itself.
pub(crate) const DM: Domain = Domain {
    code: "DM",
    label: "Demographics",
    topic: None,
    variables: &[
        STUDY,
        DOMAIN,
        SUBJECT,
        text("SUBJID", "Subject Identifier for the Study"),
        text("SITEID", "Study Site Identifier"),
        decimal("AGE", "Age", "AGE"),
        filled("AGEU", "Age Units", Filling::UnitOf("AGE")),
        text("SEX", "Sex"),
        text("RACE", "Race"),
        text("ETHNIC", "Ethnicity"),
    ],
};

/// Exposure: the study treatment.
pub(crate) const EX: Domain = Domain {
    code: "EX",
    label: "Exposure",
    topic: Some("EXTRT"),
    variables: &[
        STUDY,
        DOMAIN,
        SUBJECT,
        sequence("EXSEQ"),
        place("EXSPID"),
        text("EXTRT", "Name of Treatment"),
        decimal("EXDOSE", "Dose", "EXDOSE"),
        filled("EXDOSTXT", "Dose Description", Filling::WordsOf("EXDOSE")),
        filled("EXDOSU", "Dose Units", Filling::UnitOf("EXDOSE")),
        text("EXDOSFRM", "Dose Form"),
        text("EXDOSFRQ", "Dosing Frequency per Interval"),
        text("EXROUTE", "Route of Administration"),
        text("EXLOT", "Lot Number"),
        text("EXSTDTC", "Start Date/Time of Treatment"),
        text("EXENDTC", "End Date/Time of Treatment"),
    ],
};

/// Other medication.
pub(crate) const CM: Domain = Domain {
    code: "CM",
    label: "Concomitant/Prior Medications",
    topic: Some("CMTRT"),
    variables: &[
        STUDY,
        DOMAIN,
        SUBJECT,
        sequence("CMSEQ"),
        place("CMSPID"),
        text("CMTRT", "Reported Name of Drug, Med, or Therapy"),
        text("CMINDC", "Indication"),
        decimal("CMDOSE", "Dose per Administration", "CMDOSE"),
        filled("CMDOSTXT", "Dose Description", Filling::WordsOf("CMDOSE")),
        filled("CMDOSU", "Dose Units", Filling::UnitOf("CMDOSE")),
        text("CMDOSFRM", "Dose Form"),
        text("CMDOSFRQ", "Dosing Frequency per Interval"),
        text("CMROUTE", "Route of Administration"),
        text("CMSTDTC", "Start Date/Time of Medication"),
        text("CMENDTC", "End Date/Time of Medication"),
    ],
};

/// Adverse events.
pub(crate) const AE: Domain = Domain {
    code: "AE",
    label: "Adverse Events",
    topic: Some("AETERM"),
    variables: &[
        STUDY,
        DOMAIN,
        SUBJECT,
        sequence("AESEQ"),
        place("AESPID"),
        text("AETERM", "Reported Term for the Adverse Event"),
        text("AESEV", "Severity/Intensity"),
        text("AESER", "Serious Event"),
        text("AEACN", "Action Taken with Study Treatment"),
        text("AEREL", "Causality"),
        text("AEOUT", "Outcome of Adverse Event"),
        text("AESCONG", "Congenital Anomaly or Birth Defect"),
        text("AESDISAB", "Persist or Signif Disability/Incapacity"),
        text("AESDTH", "Results in Death"),
        text("AESHOSP", "Requires or Prolongs Hospitalization"),
        text("AESLIFE", "Is Life Threatening"),
        text("AESMIE", "Other Medically Important Serious Event"),
        text("AETOXGR", "Standard Toxicity Grade"),
        text("AESTDTC", "Start Date/Time of Adverse Event"),
        text("AEENDTC", "End Date/Time of Adverse Event"),
    ],
};

/// Medical history.
pub(crate) const MH: Domain = Domain {
    code: "MH",
    label: "Medical History",
    topic: Some("MHTERM"),
    variables: &[
        STUDY,
        DOMAIN,
        SUBJECT,
        sequence("MHSEQ"),
        place("MHSPID"),
        text("MHTERM", "Reported Term for the Medical History"),
        text("MHSTDTC", "Start Date/Time of Medical History Event"),
        text("MHENDTC", "End Date/Time of Medical History Event"),
    ],
};

/// Stays in hospital.
pub(crate) const HO: Domain = Domain {
    code: "HO",
    label: "Healthcare Encounters",
    topic: None,
    variables: &[
        STUDY,
        DOMAIN,
        SUBJECT,
        sequence("HOSEQ"),
        place("HOSPID"),
        filled("HOTERM", "Healthcare Encounter Term", Filling::Constant("HOSPITAL")),
        text("HOSTDTC", "Start Date/Time of Healthcare Encounter"),
        text("HOENDTC", "End Date/Time of Healthcare Encounter"),
    ],
};

/// Laboratory results. Results are not converted: the standard units are those of the laboratory, in CDISC's spelling.
pub(crate) const LB: Domain = Domain {
    code: "LB",
    label: "Laboratory Test Results",
    topic: Some("LBTEST"),
    variables: &[
        STUDY,
        DOMAIN,
        SUBJECT,
        sequence("LBSEQ"),
        text("LBREFID", "Specimen ID"),
        place("LBSPID"),
        filled("LBTESTCD", "Lab Test or Examination Short Name", Filling::TestCode),
        filled("LBTEST", "Lab Test or Examination Name", Filling::TestName),
        text("LBORRES", "Result or Finding in Original Units"),
        filled("LBORRESU", "Original Units", Filling::UnitOf("LBORRESU")),
        text("LBORNRLO", "Reference Range Lower Limit in Orig Unit"),
        text("LBORNRHI", "Reference Range Upper Limit in Orig Unit"),
        filled("LBSTRESC", "Character Result/Finding in Std Format", Filling::CopyOf("LBORRES")),
        decimal("LBSTRESN", "Numeric Result/Finding in Standard Units", "LBORRES"),
        filled("LBSTRESU", "Standard Units", Filling::UnitOf("LBORRESU")),
        text("LBNRIND", "Reference Range Indicator"),
        text("LBNAM", "Vendor Name"),
        text("LBSPEC", "Specimen Type"),
        text("LBFAST", "Fasting Status"),
        text("LBDTC", "Date/Time of Specimen Collection"),
    ],
};

/// The domain `variable` is of; `None` for one of no domain here.
pub(crate) fn domain_of(variable: &str) -> Option<&'static Domain> {
    let has = |domain: &&&'static Domain| {
        let needs = |own: &Variable| own.filling.needs(own.name) == Some(variable);
        domain.variables.iter().any(needs)
    };
    DOMAINS.iter().find(has).copied()
}

/// A UCUM unit as CDISC spells it: `10*9/L` is `10^9/L`, `m[IU]/L` is `mIU/L`, `a` is `YEARS`.
pub(crate) fn unit(ucum: &str) -> String {
    match ucum {
        "a" => "YEARS".to_owned(),
        "mo" => "MONTHS".to_owned(),
        "wk" => "WEEKS".to_owned(),
        "d" => "DAYS".to_owned(),
        "h" => "HOURS".to_owned(),
        "mL/min/{1.73_m2}" => "mL/min/1.73m2".to_owned(),
        other => {
            let plain: String =
                other.chars().filter(|character| !matches!(character, '[' | ']' | '{' | '}')).collect();
            plain.replace('*', "^").replace("meq", "mEq")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{AE, DM, DOMAINS, LB, domain_of, unit};

    #[test]
    fn a_variable_leads_to_its_domain() {
        assert_eq!(domain_of("AESTDTC"), Some(&AE));
        assert_eq!(domain_of("LBTEST"), Some(&LB));
        assert_eq!(domain_of("SUBJID"), Some(&DM));
        // Filled from others, so no field can be one; and a variable of no domain here.
        assert_eq!(domain_of("LBSTRESN"), None);
        assert_eq!(domain_of("SAERCAT"), None);
    }

    #[test]
    fn every_domain_is_keyed_by_study_and_subject_and_keeps_to_the_lengths_of_sdtm() {
        let mut names = BTreeSet::new();
        for domain in DOMAINS {
            assert!(names.insert(domain.code));
            let keys: Vec<_> = domain.variables.iter().filter_map(super::Variable::key).collect();
            assert_eq!(keys[..2], [1, 2], "{}", domain.code);
            for variable in domain.variables {
                assert!(variable.name.len() <= 8 && variable.label.len() <= 40, "{}", variable.name);
                let shared = ["STUDYID", "DOMAIN", "USUBJID"].contains(&variable.name);
                assert!(shared || names.insert(variable.name), "{} twice", variable.name);
            }
        }
    }

    #[test]
    fn units_are_spelled_as_cdisc_spells_them() {
        let spelled = |ucum: &str| unit(ucum);
        assert_eq!(spelled("10*9/L"), "10^9/L");
        assert_eq!(spelled("m[IU]/L"), "mIU/L");
        assert_eq!(spelled("meq/L"), "mEq/L");
        assert_eq!(spelled("/[HPF]"), "/HPF");
        assert_eq!(spelled("mL/min/{1.73_m2}"), "mL/min/1.73m2");
        assert_eq!((spelled("a"), spelled("mo")), ("YEARS".to_owned(), "MONTHS".to_owned()));
        assert_eq!((spelled("mg/kg"), spelled("%")), ("mg/kg".to_owned(), "%".to_owned()));
    }
}
