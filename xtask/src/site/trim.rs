//! Takes out of the wasm what is compiled in but never runs.
//!
//! Erased views, attributes and routes of leptos carry a table of everything they could be asked to do. Our pages
//! hydrate in one go, from the server's own HTML, and the list of routes is made on the server; the linker cannot know.
//! A trap in place of those bodies saves 27 kB of 380. Should one ever run, the page does not hydrate and the browser
//! tests fail.

use walrus::{FunctionBuilder, FunctionKind, Module, ModuleConfig};

use crate::outcome::Outcome;

/// In the mangled name of every such function: its length, then itself.
const UNUSED: [&str; 3] = ["13hydrate_async", "21hydrate_from_template", "15generate_routes"];

/// The same module with a trap in each body that is never run.
pub(super) fn without_unused(wasm: &[u8]) -> Outcome<Vec<u8>> {
    let mut module = ModuleConfig::new().generate_name_section(true).parse(wasm).map_err(|e| e.to_string())?;
    let unused: Vec<_> = module
        .funcs
        .iter_local()
        .map(|(id, _)| id)
        .filter(|id| {
            let name = module.funcs.get(*id).name.as_deref().unwrap_or_default();
            UNUSED.iter().any(|unused| name.contains(unused))
        })
        .collect();
    for id in unused {
        trap(&mut module, id);
    }
    Ok(module.emit_wasm())
}

fn trap(module: &mut Module, id: walrus::FunctionId) {
    let kind = module.types.get(module.funcs.get(id).ty());
    let (params, results) = (kind.params().to_vec(), kind.results().to_vec());
    let mut body = FunctionBuilder::new(&mut module.types, &params, &results);
    body.func_body().unreachable();
    let args = params.iter().map(|kind| module.locals.add(*kind)).collect();
    module.funcs.get_mut(id).kind = FunctionKind::Local(body.local_func(args));
}
