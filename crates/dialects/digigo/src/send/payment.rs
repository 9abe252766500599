//! Buttons that pay: PIX alone, or an order to be reviewed first.

use serde_json::{Value, json};
use web_wire::send::NativeButton;

use super::native;
use super::terms::{needed, short};
use crate::body::Body;
use crate::errors::Error;

const KEY_TYPES: [&str; 5] = ["PHONE", "EMAIL", "CPF", "CNPJ", "EVP"];
/// Minor units in one unit of a currency.
const OFFSET: i64 = 100;
const MOST_ITEMS: usize = 100;

/// A PIX key to be paid to.
struct Pix {
    key: String,
    kind: String,
    merchant: String,
}

/// A line of an order; amounts in minor units.
struct Item {
    name: String,
    quantity: i64,
    amount: i64,
    offset: i64,
}

/// Pays to a key; the payer sees or chooses the amount in his bank's app.
pub(super) fn pix(body: &Body, id: &str) -> Result<NativeButton, Error> {
    let (pix, nothing) = (Pix::read(body)?, json!({ "value": 0, "offset": OFFSET }));
    let total = match total(body)? {
        Some(total) => amount(total, offset(body, "total_offset")?),
        None => nothing,
    };
    let order = json!({
        "status": "pending",
        "subtotal": total,
        "order_type": "ORDER",
        "items": [{ "name": pix.merchant, "amount": total, "quantity": 1, "sale_amount": total }],
    });
    Ok(native::payment("payment_info", &params(body, id, &pix, &total, &order)?))
}

/// Shows an order and pays it.
pub(super) fn review_and_pay(body: &Body, id: &str) -> Result<NativeButton, Error> {
    let (pix, items) = (Pix::read(body)?, items(body)?);
    let sum: i64 = items.iter().map(|item| item.amount.saturating_mul(item.quantity)).fold(0, i64::saturating_add);
    let total = amount(total(body)?.unwrap_or(sum), offset(body, "total_offset")?);
    let lines: Vec<Value> = items.iter().enumerate().map(|(number, item)| item.line(number)).collect();
    let order = json!({ "status": "payment_requested", "subtotal": total, "order_type": "ORDER", "items": lines });
    Ok(native::payment("review_and_pay", &params(body, id, &pix, &total, &order)?))
}

fn params(body: &Body, id: &str, pix: &Pix, total: &Value, order: &Value) -> Result<Value, Error> {
    let reference = short(body, &["reference_id"], 128)?.unwrap_or_else(|| id.to_owned());
    let code = json!({ "merchant_name": pix.merchant, "key": pix.key, "key_type": pix.kind });
    Ok(json!({
        "currency": currency(body)?,
        "total_amount": total,
        "reference_id": reference,
        "type": "physical-goods",
        "order": order,
        "payment_settings": [{ "type": "pix_static_code", "pix_static_code": code }],
    }))
}

impl Pix {
    fn read(body: &Body) -> Result<Self, Error> {
        let kind = needed(body, &["pix_type"], 16)?.to_ascii_uppercase();
        if !KEY_TYPES.contains(&kind.as_str()) {
            return Err(Error::bad("invalid pix_type, must be: PHONE, EMAIL, CPF, CNPJ, or EVP"));
        }
        Ok(Self { kind, key: needed(body, &["pix_key"], 256)?, merchant: needed(body, &["merchant_name"], 256)? })
    }
}

impl Item {
    fn read(body: &Body) -> Result<Self, Error> {
        let missing = |field: &str| Error::bad(format!("missing {field} in items"));
        let item = Self {
            name: needed(body, &["name"], 256)?,
            quantity: body.integer(&["quantity"])?.ok_or_else(|| missing("quantity"))?,
            amount: body.integer(&["amount_value"])?.ok_or_else(|| missing("amount_value"))?,
            offset: offset(body, "amount_offset")?,
        };
        match item.quantity > 0 && item.amount >= 0 {
            true => Ok(item),
            false => Err(Error::bad("invalid quantity or amount_value in items")),
        }
    }

    fn line(&self, number: usize) -> Value {
        let amount = amount(self.amount, self.offset);
        json!({ "retailer_id": format!("item-{}", number + 1), "name": self.name, "amount": amount, "quantity": self.quantity })
    }
}

fn items(body: &Body) -> Result<Vec<Item>, Error> {
    let items = body.objects(&["items"])?.unwrap_or_default();
    match items.len() {
        1..=MOST_ITEMS => items.iter().map(Item::read).collect(),
        _ => Err(Error::bad(format!("items must have 1 to {MOST_ITEMS} items"))),
    }
}

fn amount(value: i64, offset: i64) -> Value {
    json!({ "value": value, "offset": offset })
}

fn total(body: &Body) -> Result<Option<i64>, Error> {
    match body.integer(&["total_value"])? {
        Some(total) if total < 0 => Err(Error::bad("invalid total_value")),
        total => Ok(total),
    }
}

fn offset(body: &Body, field: &str) -> Result<i64, Error> {
    Ok(body.integer(&[field])?.filter(|offset| *offset > 0).unwrap_or(OFFSET))
}

/// ISO 4217.
fn currency(body: &Body) -> Result<String, Error> {
    let currency = short(body, &["currency"], 16)?.unwrap_or_else(|| "BRL".into()).to_ascii_uppercase();
    match currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        true => Ok(currency),
        false => Err(Error::bad("invalid currency, must be a code of three letters")),
    }
}
