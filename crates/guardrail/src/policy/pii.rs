//! The types of personal information of Amazon Bedrock Guardrails, and which of them can be found here.

use serde::{Deserialize, Serialize};

/// How the local engine finds a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// By a form that little else has, or by a checksum.
    Form,
    /// By the words before it: "password:", "driver's licence no.". Without them it is any number or word.
    Label,
    /// By titles, labels, roles and lists of names and words: most, not all.
    Words,
}

macro_rules! pii_types {
    ($($variant:ident = $name:literal, $means:ident, $what:literal;)*) => {
        /// A type of personal information: the whole enumeration of the API, CloudFormation and traces.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum PiiType {
            $(#[doc = $what] #[serde(rename = $name)] $variant,)*
        }

        impl PiiType {
            /// Every type.
            pub const ALL: [Self; [$(Self::$variant),*].len()] = [$(Self::$variant),*];

            /// The spelling in a policy, a trace and a mask: `{NAME}`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How the local engine finds it.
            pub const fn means(self) -> Means {
                match self { $(Self::$variant => Means::$means,)* }
            }
        }
    };
}

pii_types! {
    Address = "ADDRESS", Words, "A postal address.";
    Age = "AGE", Form, "An age.";
    AwsAccessKey = "AWS_ACCESS_KEY", Form, "An AWS access key id.";
    AwsSecretKey = "AWS_SECRET_KEY", Label, "An AWS secret access key.";
    CaHealthNumber = "CA_HEALTH_NUMBER", Label, "A Canadian health service number.";
    CaSocialInsuranceNumber = "CA_SOCIAL_INSURANCE_NUMBER", Form, "A Canadian social insurance number (Luhn).";
    CardCvv = "CREDIT_DEBIT_CARD_CVV", Label, "A card's verification code.";
    CardExpiry = "CREDIT_DEBIT_CARD_EXPIRY", Label, "A card's expiry.";
    CardNumber = "CREDIT_DEBIT_CARD_NUMBER", Form, "A card's number (Luhn).";
    DriverId = "DRIVER_ID", Label, "A driver's licence number.";
    Email = "EMAIL", Form, "An e-mail address.";
    Iban = "INTERNATIONAL_BANK_ACCOUNT_NUMBER", Form, "An IBAN (mod 97).";
    IpAddress = "IP_ADDRESS", Form, "An IPv4 or IPv6 address.";
    LicensePlate = "LICENSE_PLATE", Label, "A vehicle's licence plate.";
    MacAddress = "MAC_ADDRESS", Form, "A network card's address.";
    Name = "NAME", Words, "A person's name.";
    Password = "PASSWORD", Label, "A password.";
    Phone = "PHONE", Form, "A telephone or fax number.";
    Pin = "PIN", Label, "A personal identification number.";
    SwiftCode = "SWIFT_CODE", Label, "A bank's SWIFT or BIC code.";
    UkNhsNumber = "UK_NATIONAL_HEALTH_SERVICE_NUMBER", Form, "A British NHS number (mod 11).";
    UkNationalInsuranceNumber = "UK_NATIONAL_INSURANCE_NUMBER", Form, "A British national insurance number.";
    UkTaxpayerReference = "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER", Label, "A British taxpayer reference.";
    Url = "URL", Form, "A web address.";
    Username = "USERNAME", Label, "A user name.";
    UsBankAccountNumber = "US_BANK_ACCOUNT_NUMBER", Label, "A US bank account number.";
    UsBankRoutingNumber = "US_BANK_ROUTING_NUMBER", Label, "A US bank routing number (weighted mod 10).";
    UsTaxpayerNumber = "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER", Form, "A US ITIN.";
    UsPassportNumber = "US_PASSPORT_NUMBER", Label, "A US passport number.";
    UsSocialSecurityNumber = "US_SOCIAL_SECURITY_NUMBER", Form, "A US social security number.";
    VehicleIdentificationNumber = "VEHICLE_IDENTIFICATION_NUMBER", Form, "A vehicle's VIN (check digit).";
}

#[cfg(test)]
mod tests {
    use super::PiiType;

    #[test]
    fn there_are_thirty_one_types_each_with_its_own_name() {
        let names: std::collections::BTreeSet<_> = PiiType::ALL.map(PiiType::as_str).into_iter().collect();
        assert_eq!(names.len(), 31);
        assert_eq!(
            serde_json::to_string(&PiiType::UkNhsNumber).unwrap(),
            "\"UK_NATIONAL_HEALTH_SERVICE_NUMBER\""
        );
    }
}
