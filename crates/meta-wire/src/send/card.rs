//! Contact cards, the same in both directions.

wire! {
    /// A person's card.
    Card {
        name: Name,
        birthday?: String,
        phones*: Phone,
        emails*: Email,
        urls*: Link,
        addresses*: Address,
        org?: Organization,
        /// Inbound only.
        vcard?: String,
        /// Inbound only: `contact_request` or `other`.
        origin?: String,
    }

    Name {
        #[serde(default)]
        formatted_name: String,
        first_name?: String,
        last_name?: String,
        middle_name?: String,
        prefix?: String,
        suffix?: String,
    }

    Phone {
        phone?: String,
        #[serde(rename = "type")]
        kind?: String,
        /// Without it the card offers to invite.
        wa_id?: String,
        user_id?: String,
    }

    Email {
        email?: String,
        #[serde(rename = "type")]
        kind?: String,
    }

    Link {
        url?: String,
        #[serde(rename = "type")]
        kind?: String,
    }

    Address {
        street?: String,
        city?: String,
        state?: String,
        zip?: String,
        country?: String,
        country_code?: String,
        #[serde(rename = "type")]
        kind?: String,
    }

    Organization {
        company?: String,
        department?: String,
        title?: String,
    }
}
