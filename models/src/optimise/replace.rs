//! What stands in the place of a convolution, and of what follows that can be done with it.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::math::{Add, Max};

use super::convolution::{Convolution, Inputs};
use super::{by_columns, pixelwise};

/// What is faster than tract's own way, if anything is, together with what follows that it can do as well.
///
/// # Errors
/// tract refuses what is put together.
pub fn patch(convolution: &Convolution, network: &TypedModel) -> TractResult<Option<TypedModelPatch>> {
    let added = addition(network, convolution.output);
    let sum = added.map_or(convolution.output, |(sum, _)| sum);
    let mut patch = TypedModelPatch::default();
    let mut wired = |rectified: OutletId, shortcut: Option<OutletId>, way: Wire| -> TractResult<Option<OutletId>> {
        let rectifier = rectifier(network, rectified);
        let mut tap = |outlet| patch.tap_model(network, outlet);
        let inputs = Inputs {
            map: tap(convolution.input)?,
            bias: tap(convolution.bias)?,
            shortcut: shortcut.map(&mut tap).transpose()?,
            zero: rectifier.map(|(_, zero)| tap(zero)).transpose()?,
        };
        let Some(maps) = way(convolution, &mut patch, inputs)? else { return Ok(None) };
        let output = rectifier.map_or(rectified, |(output, _)| output);
        patch.shunt_outside(network, output, maps)?;
        Ok(Some(maps))
    };
    let done = match wired(sum, added.map(|(_, other)| other), pixelwise::wire)? {
        None => wired(convolution.output, None, by_columns::wire)?,
        done => done,
    };
    Ok(done.map(|_| patch))
}

/// How a convolution is put into a patch; gives its output, or nothing if this way is none for it.
type Wire = fn(&Convolution, &mut TypedModelPatch, Inputs) -> TractResult<Option<OutletId>>;

/// The only node that takes what `outlet` gives, if there is only one and the network does not give it too.
fn successor(network: &TypedModel, outlet: OutletId) -> Option<(&TypedNode, usize)> {
    let [successor] = &network.node(outlet.node).outputs[outlet.slot].successors[..] else { return None };
    let is_given = network.outputs.contains(&outlet);
    (!is_given).then(|| (network.node(successor.node), successor.slot))
}

/// The rectifier, `max(x, 0)`, that takes what `outlet` gives, if nothing else takes it: its output, and its zero.
fn rectifier(network: &TypedModel, outlet: OutletId) -> Option<(OutletId, OutletId)> {
    let (next, slot) = successor(network, outlet)?;
    let is_maximum = next.op_as::<TypedBinOp>().is_some_and(|op| op.0.is::<Max>());
    let zero = *next.inputs.get(1)?;
    let other = network.outlet_fact(zero).ok()?.konst.as_ref()?;
    let is_zero = other.len() == 1 && other.is_all_zero().unwrap_or(false);
    (is_maximum && slot == 0 && is_zero).then(|| (next.id.into(), zero))
}

/// The sum of what `outlet` gives and of another map of its shape, if nothing else takes it: the sum, and the other map.
fn addition(network: &TypedModel, outlet: OutletId) -> Option<(OutletId, OutletId)> {
    let (next, slot) = successor(network, outlet)?;
    let is_sum = next.op_as::<TypedBinOp>().is_some_and(|op| op.0.is::<Add>());
    let other = *next.inputs.get(1 - slot.min(1))?;
    let [own, others] = [outlet, other].map(|outlet| network.outlet_fact(outlet).ok());
    let is_like_it = own?.shape == others?.shape && own?.datum_type == others?.datum_type && others?.konst.is_none();
    (is_sum && is_like_it).then(|| (next.id.into(), other))
}
