//! A template with its values.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Value, json};

use super::content::{Location, Media};
use crate::loose::{Index, MetaId};
use crate::{Extra, Tagged};

wire! {
    Template {
        name: String,
        language: Language,
        components*: Component,
    }

    Component {
        /// header, body, button, limited_time_offer, carousel, ...; in any case of letters.
        #[serde(rename = "type")]
        kind: String,
        /// Of a button; in any case of letters.
        sub_type?: String,
        index?: Index,
        parameters*: Parameter,
        cards*: Card,
    }

    Card {
        card_index: Index,
        components*: Component,
    }

    Currency {
        fallback_value: String,
        code?: String,
        /// Thousandths.
        amount_1000?: MetaId,
    }

    DateTime {
        fallback_value: String,
    }

    Product {
        product_retailer_id: String,
        catalog_id?: MetaId,
    }

    LimitedTimeOffer {
        /// Milliseconds since 1970.
        expiration_time_ms: MetaId,
    }

    /// Of catalog, multi-product and flow buttons.
    Action {
        thumbnail_product_retailer_id?: String,
        sections*: Value,
        flow_token?: String,
        flow_action_data?: Value,
    }
}

kinds! {
    /// One value.
    Filling {
        Text(String) = "text",
        Currency(Currency) = "currency",
        DateTime(DateTime) = "date_time",
        Image(Media) = "image",
        Video(Media) = "video",
        Document(Media) = "document",
        Gif(Media) = "gif",
        Location(Location) = "location",
        Product(Product) = "product",
        Payload(String) = "payload",
        CouponCode(String) = "coupon_code",
        Action(Action) = "action",
        LimitedTimeOffer(LimitedTimeOffer) = "limited_time_offer",
        TapTarget(Value) = "tap_target_configuration",
    }
}

/// A value with the variable it is for, where variables have names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter_name: Option<String>,
    #[serde(flatten)]
    pub body: Tagged<Filling>,
}

impl Parameter {
    /// A text for the next variable.
    pub fn text(text: impl Into<String>) -> Self {
        Self { parameter_name: None, body: Filling::Text(text.into()).into() }
    }

    /// What stands where the variable was; `None` for media and the like.
    pub fn shown(&self) -> Option<&str> {
        match &self.body.content {
            Filling::Text(text) | Filling::Payload(text) | Filling::CouponCode(text) => Some(text),
            Filling::Currency(currency) => Some(&currency.fallback_value),
            Filling::DateTime(time) => Some(&time.fallback_value),
            _ => None,
        }
    }
}

/// `{"code": …, "policy": "deterministic"}`, or just the code as some clients write it. Prints as it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Language {
    pub code: String,
    /// The members beside `code`; `None` if there was only the code.
    pub extra: Option<Extra>,
}

impl Language {
    /// As Meta's documents write it.
    pub fn new(code: impl Into<String>) -> Self {
        Self { code: code.into(), extra: Some(Extra::new()) }
    }
}

impl Serialize for Language {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(extra) = &self.extra else {
            return serializer.serialize_str(&self.code);
        };
        let mut object = Extra::new();
        object.insert("code".to_owned(), json!(self.code));
        object.extend(extra.clone());
        object.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut object = match Value::deserialize(deserializer)? {
            Value::String(code) => return Ok(Self { code, extra: None }),
            Value::Object(object) => object,
            _ => return Err(D::Error::custom("`language` must be an object or a string")),
        };
        match object.shift_remove("code") {
            Some(Value::String(code)) => Ok(Self { code, extra: Some(object) }),
            _ => Err(D::Error::missing_field("code")),
        }
    }
}
