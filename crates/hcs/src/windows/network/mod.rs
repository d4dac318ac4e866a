//! Networks: `HNSCall` of vmcompute.dll on every host since 2016, HCN of computenetwork.dll since 1809.
#![expect(unsafe_code, reason = "calls vmcompute.dll")]

mod hcn;

pub use hcn::{Kind, Notification, Object, delete, enumerate, subscribe};

use super::answer;
use super::memory::{CoTask, OutText};
use crate::error::{Dll, Error};
use crate::raw::vmcompute as raw;
use crate::text::Wide;

/// Asks the Host Network Service: a method (`GET`, `POST`, `DELETE`), a path such as `/networks/`, and a document or nothing.
///
/// The answer is JSON with a field `Success`. Where that is false the request failed, although the call did not: look at it.
///
/// # Errors
/// The service cannot be reached, or newer hosts refuse the request so; see [`Error`].
pub fn hns_call(method: &str, path: &str, request: &str) -> Result<String, Error> {
    const CALL: &str = "HNSCall";
    let wide = |text| Wide::new(CALL, Dll::VmCompute, text);
    let (method, path, request) = (wide(method)?, wide(path)?, wide(request)?);
    let mut response = OutText::<CoTask>::new();
    // SAFETY: the texts and the place live until the call returns.
    let answer = unsafe {
        raw::HNSCall(
            method.as_ptr(),
            path.as_ptr(),
            request.as_ptr(),
            response.place(),
        )?
    };
    answer::text(CALL, Dll::VmCompute, answer, response).map(Option::unwrap_or_default)
}
