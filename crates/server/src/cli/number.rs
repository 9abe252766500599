use std::process::ExitCode;

use clap::Subcommand;
use engine::numbers::{Adopt, Approve, Decline, Order, Release};
use engine::{Engine, Id, clock};

use super::Failure;
use crate::accounts::parse;
use crate::settings::Settings;

/// Phone numbers that are bought.
#[derive(Subcommand)]
pub enum Number {
    /// Show all orders, newest first.
    List,
    /// Let an order go on that waits for an operator.
    Approve {
        /// The order's id.
        id: String,
    },
    /// Say no to one.
    Decline {
        /// The order's id.
        id: String,
    },
    /// Bring a number of the pre-verified pool onto a WhatsApp account, where it can send.
    Adopt {
        /// The order's id.
        id: String,
        /// The account's id. Without it: the one that the number was brought to the pool with.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// What customers see. Without it: as it was ordered.
        #[arg(long)]
        name: Option<String>,
    },
    /// Give a number back, or end its order.
    Release {
        /// The order's id.
        id: String,
    },
}

impl Number {
    /// What is decided here is carried out by the serving process.
    pub async fn run(self, settings: &Settings) -> Result<ExitCode, Failure> {
        let engine = super::engine(settings).await?;
        match self {
            Self::List => {
                for order in engine.all_number_orders().await? {
                    show(&order);
                }
            }
            Self::Approve { id } => {
                let Order { id, organization_id: organization, .. } = find(&engine, &id).await?;
                show(&engine.perform(Approve { engine: engine.clone(), organization, id }).await??);
            }
            Self::Decline { id } => {
                let Order { id, organization_id: organization, .. } = find(&engine, &id).await?;
                show(&engine.perform(Decline { engine: engine.clone(), organization, id }).await??);
            }
            Self::Adopt { id, account, name: display_name } => {
                let Order { id, organization_id: organization, .. } = find(&engine, &id).await?;
                let account = account.as_deref().map(parse).transpose()?;
                let adopt = Adopt { engine: engine.clone(), organization, id, account, display_name };
                show(&engine.perform(adopt).await??);
            }
            Self::Release { id } => {
                let Order { id, organization_id: organization, .. } = find(&engine, &id).await?;
                show(&engine.perform(Release { engine: engine.clone(), organization, id }).await??);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn find(engine: &Engine, spelling: &str) -> Result<Order, Failure> {
    let found = match Id::parse_hex24(spelling) {
        Some(id) => engine.any_number_order(&id).await?,
        None => None,
    };
    found.ok_or_else(|| format!("there is no order {spelling}").into())
}

fn show(order: &Order) {
    let number = order.number.as_deref().unwrap_or("-");
    let why = order.why().unwrap_or_default();
    println!(
        "{}  {}  {number:16}  {:16}  {why}",
        clock::rfc3339(order.created_at),
        order.id.hex24(),
        order.state.as_str()
    );
}
