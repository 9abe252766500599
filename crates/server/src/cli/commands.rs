//! Short commands.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::Failure;
use crate::opening::{Purpose, open};
use crate::settings::Settings;
use crate::wiring::{DIGIGO_CONTRACT, KIRIM_CONTRACT, LATE_CONTRACT, YCLOUD_CONTRACT};

#[derive(Args)]
pub struct Backup {
    /// The file to write; it must not exist.
    file: PathBuf,
}

impl Backup {
    pub async fn run(self, settings: &Settings) -> Result<ExitCode, Failure> {
        if self.file.exists() {
            return Err(format!("{} exists already", self.file.display()).into());
        }
        let opened = open(settings, Purpose::Command).await?;
        opened.db.backup(self.file.clone()).await?;
        println!(
            "{} holds the database. It can be used only with the secret key ({}), which is not in it: keep both. Files lie in {}.",
            self.file.display(),
            settings.server.data_dir.join("secret.key").display(),
            settings.server.data_dir.join("media").display(),
        );
        Ok(ExitCode::SUCCESS)
    }
}

pub async fn migrate(settings: &Settings) -> Result<ExitCode, Failure> {
    let opened = open(settings, Purpose::FirstCommand).await?;
    println!("the schema is at version {}", store::schema_version(&mut *opened.db.reader().await?).await?);
    Ok(ExitCode::SUCCESS)
}

#[derive(Args)]
pub struct Openapi {
    dialect: String,
}

impl Openapi {
    pub fn run(self) -> Result<ExitCode, Failure> {
        use std::io::Write;
        let contract = match self.dialect.as_str() {
            "kirim" => KIRIM_CONTRACT,
            "ycloud" => YCLOUD_CONTRACT,
            "late" => LATE_CONTRACT,
            "digigo" => DIGIGO_CONTRACT,
            other => return Err(super::no_dialect(other)),
        };
        std::io::stdout().write_all(contract)?;
        Ok(ExitCode::SUCCESS)
    }
}
