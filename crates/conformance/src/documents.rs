//! Documents that do not say what a compute system is to be.

use wcow_hcs_schema::schema2::{ComputeSystem, VirtualMachine};
use wcow_host::{ComputeApi, ComputeService, CreateDocument, Host, HostError};

use crate::matrix::Expect;
use crate::stage::{Stage, Unlike, ensure};

/// A document that is not valid.
const INVALID: Expect = Expect::Hcs(&[0x010D]);

pub(crate) async fn document_of_no_kind<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let document = ComputeSystem {
        container: None,
        ..stage.document().await?.to_schema2()
    };
    is_refused(stage, document).await
}

pub(crate) async fn document_of_two_kinds<H: Host>(stage: &Stage<'_, H>) -> Result<(), Unlike> {
    let document = ComputeSystem {
        virtual_machine: Some(VirtualMachine::default()),
        ..stage.document().await?.to_schema2()
    };
    is_refused(stage, document).await
}

/// Neither surface takes it: builds that know no schema 2 do not either.
async fn is_refused<H: Host>(stage: &Stage<'_, H>, document: ComputeSystem) -> Result<(), Unlike> {
    let compute = stage.host().compute();
    let document = CreateDocument::Schema2(Box::new(document));
    let answer = compute.create(stage.id(), &document).await.map(drop);
    expect(compute.api(), INVALID, &answer, || {
        "a document that does not say what is to be created".to_owned()
    })
}

/// That an answer is the expected one.
pub(crate) fn expect(
    api: ComputeApi,
    expected: Expect,
    answer: &Result<(), HostError>,
    what: impl FnOnce() -> String,
) -> Result<(), Unlike> {
    ensure(expected.fits(answer, api), || {
        let seen = match answer {
            Ok(()) => "success".to_owned(),
            Err(error) => error.to_string(),
        };
        format!("{}: expected {expected}, seen {seen}", what())
    })
}
