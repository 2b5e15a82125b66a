//! Takes out of the wasm what is compiled in but never runs.
//!
//! Every erased view of leptos carries a pointer to its asynchronous way of hydrating, which only islands and lazy
//! routes take; our pages hydrate in one go. The linker cannot know. With a trap behind those pointers everything that
//! was only reached through them is collected as garbage, which saves 15 kB of 362. Should one ever be called, the page
//! does not hydrate and the browser tests fail.

use walrus::{FunctionBuilder, FunctionKind, Module, ModuleConfig};

use crate::outcome::Outcome;

/// In the mangled name of what those pointers lead to. Only these: the compiler folds equal functions into one, and
/// what they call may be a part of hydrating in one go as well.
const UNUSED: &str = "8into_any13hydrate_async";

/// The same module with a trap in each body that is never run.
pub(super) fn without_unused(wasm: &[u8]) -> Outcome<Vec<u8>> {
    let mut module = ModuleConfig::new().generate_name_section(true).parse(wasm).map_err(|e| e.to_string())?;
    let unused: Vec<_> = module
        .funcs
        .iter_local()
        .map(|(id, _)| id)
        .filter(|id| module.funcs.get(*id).name.as_deref().is_some_and(|name| name.contains(UNUSED)))
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
