//! `certificate`: checks what `verify --certificate` wrote. Needs neither the portal nor the state file.

use crate::certificate::{self, Signer};
use crate::cli::{self, CertificateCommand};
use crate::screen::{Screen, Tone, counted, thousands};
use crate::settings::Settings;
use crate::{Failure, Outcome};

pub(super) fn certificate(
    settings: &Settings,
    arguments: &cli::Certificate,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    match &arguments.command {
        CertificateCommand::Check { files, key } => {
            let own = Signer::find(&settings.signing)?.map(|signer| signer.public_key());
            let expected = key.clone().or(own);
            let chain = certificate::check(files, expected.as_deref())?;
            screen.answer(&serde_json::json!({
                "key_expected": expected.is_some(),
                "certificates": chain.iter().map(|checked| serde_json::json!({
                    "number": checked.certificate.number,
                    "file": checked.file,
                    "made": checked.certificate.made,
                    "level": checked.certificate.level,
                    "proves": checked.certificate.level.proves(),
                    "agrees": checked.certificate.agrees,
                    "differences": checked.certificate.difference_count,
                    "hash": checked.hash,
                    "public_key": checked.public_key,
                })).collect::<Vec<_>>(),
            }));
            let rows = chain.iter().map(|checked| {
                let it = &checked.certificate;
                let verdict = match it.agrees {
                    true if it.level.compares_values() => "agrees".to_owned(),
                    true => "no difference; no value was compared".to_owned(),
                    false => thousands(it.difference_count) + " differences",
                };
                vec![
                    it.number.to_string(),
                    it.made.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
                    it.level.to_string(),
                    verdict,
                ]
            });
            screen.table(&["certificate", "made", "level", "found"], rows.collect(), true);
            let count = counted(chain.len() as u64, "certificate", "certificates");
            screen.line(screen.tone(
                Tone::Good,
                format_args!("{count}: every signature holds, and each follows the one before it."),
            ));
            if let Some(first) = chain.first().filter(|first| first.certificate.number > 1) {
                screen.line(format_args!(
                    "The chain begins at {}: those before it were not given.",
                    first.certificate.number
                ));
            }
            if let (None, Some(first)) = (expected, chain.first()) {
                screen.line(format_args!(
                    "Signed with the key {}: compare it with the one that you know, or give it by --key.",
                    first.public_key
                ));
            }
        }
        CertificateCommand::Key => {
            let Some(signer) = Signer::find(&settings.signing)? else {
                return Err(Failure::new("there is no key for certificates yet")
                    .remedy("the first `verify --certificate` makes one; or set `certificate.key`"));
            };
            screen.answer(&serde_json::json!({ "public_key": signer.public_key() }));
            screen.line(signer.public_key());
        }
    }
    Ok(Outcome::Done)
}
