//! An account and its numbers, as Meta shows them.

use bytes::Bytes;
use engine::provider::{Account, CallError, Numbers};
use futures_util::future::BoxFuture;
use meta_wire::{commerce, phone, profile};
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use crate::MetaCloud;
use crate::account::Config;

type Called<'a, T> = BoxFuture<'a, Result<T, CallError>>;

impl Numbers for MetaCloud {
    fn account<'a>(&'a self, account: &'a Account) -> Called<'a, Value> {
        Box::pin(async move { json(&self.graph(account)?.waba(&account.external_id).await?) })
    }

    fn numbers<'a>(&'a self, account: &'a Account) -> Called<'a, Vec<Value>> {
        Box::pin(async move { self.graph(account)?.phones(&account.external_id).await?.iter().map(json).collect() })
    }

    fn number<'a>(&'a self, account: &'a Account, number: &'a str) -> Called<'a, Value> {
        Box::pin(async move { json(&self.graph(account)?.phone(number).await?) })
    }

    fn profile<'a>(&'a self, account: &'a Account, number: &'a str) -> Called<'a, Value> {
        Box::pin(async move { json(&self.graph(account)?.profile(number).await?) })
    }

    fn set_profile<'a>(&'a self, account: &'a Account, number: &'a str, change: &'a Value) -> Called<'a, ()> {
        Box::pin(async move {
            let update: profile::Update = read(change)?;
            let update = profile::Update { messaging_product: "whatsapp".to_owned(), ..update };
            self.graph(account)?.change_profile(number, &update).await?;
            Ok(())
        })
    }

    fn set_name<'a>(&'a self, account: &'a Account, number: &'a str, name: &'a str) -> Called<'a, ()> {
        Box::pin(async move {
            let update = phone::Update { new_display_name: Some(name.to_owned()), ..phone::Update::default() };
            self.graph(account)?.update_phone(number, &update).await?;
            Ok(())
        })
    }

    fn set_picture<'a>(
        &'a self,
        account: &'a Account,
        number: &'a str,
        mime: &'a str,
        picture: Bytes,
    ) -> Called<'a, ()> {
        Box::pin(async move {
            let (graph, app) = (self.graph(account)?, Config::of(account)?.app_id);
            let handle = graph.upload(&app, mime, picture).await?;
            self.set_profile(account, number, &serde_json::json!({ "profile_picture_handle": handle })).await
        })
    }

    fn commerce<'a>(&'a self, account: &'a Account, number: &'a str) -> Called<'a, Value> {
        Box::pin(async move { json(&self.graph(account)?.commerce_settings(number).await?) })
    }

    fn set_commerce<'a>(&'a self, account: &'a Account, number: &'a str, change: &'a Value) -> Called<'a, ()> {
        Box::pin(async move {
            let change: commerce::Settings = read(change)?;
            self.graph(account)?.change_commerce_settings(number, &change).await?;
            Ok(())
        })
    }
}

fn json(value: &impl Serialize) -> Result<Value, CallError> {
    serde_json::to_value(value).map_err(|error| CallError::Unreadable(error.to_string()))
}

/// A change in Meta's words that lacks Meta's envelope.
fn read<T: for<'de> Deserialize<'de>>(change: &Value) -> Result<T, CallError> {
    let mut change = change.clone();
    if let Some(members) = change.as_object_mut() {
        members.entry("messaging_product").or_insert_with(|| "whatsapp".into());
    }
    T::deserialize(change).map_err(|error| CallError::Unreadable(error.to_string()))
}
