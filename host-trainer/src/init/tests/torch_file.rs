//! Writes what `torch.save` writes: a ZIP archive of a pickle and the bytes of every tensor.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A file of f32 tensors with these names, shapes and values; below `key`, where there is one.
pub fn bytes(tensors: &[(String, Vec<usize>)], values: &BTreeMap<String, Vec<f32>>, key: Option<&str>) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, content: &[u8]| {
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file(name, stored).unwrap();
        archive.write_all(content).unwrap();
    };
    let mut pickle = vec![0x80, 2];
    if let Some(key) = key {
        // Beside what else a script keeps.
        pickle.extend(b"}(");
        text(&mut pickle, "epoch");
        int(&mut pickle, 3);
        text(&mut pickle, key);
    }
    pickle.extend(b"}(");
    for (number, (name, shape)) in tensors.iter().enumerate() {
        text(&mut pickle, name);
        tensor(&mut pickle, number, shape);
        let bytes: Vec<u8> = values[name].iter().flat_map(|value| value.to_le_bytes()).collect();
        add(&format!("weights/data/{number}"), &bytes);
    }
    pickle.push(b'u');
    if key.is_some() {
        pickle.push(b'u');
    }
    pickle.push(b'.');
    add("weights/data.pkl", &pickle);
    add("weights/byteorder", b"little");
    add("weights/version", b"3\n");
    archive.finish().unwrap().into_inner()
}

/// `torch._utils._rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`.
fn tensor(pickle: &mut Vec<u8>, number: usize, shape: &[usize]) {
    pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
    text(pickle, "storage");
    pickle.extend(b"ctorch\nFloatStorage\n");
    text(pickle, &number.to_string());
    text(pickle, "cpu");
    int(pickle, shape.iter().product());
    pickle.extend(b"tQ");
    int(pickle, 0);
    tuple(pickle, shape);
    let strides: Vec<usize> = (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect();
    tuple(pickle, &strides);
    pickle.extend(b"\x89ccollections\nOrderedDict\n)RtR");
}

fn text(pickle: &mut Vec<u8>, text: &str) {
    pickle.push(b'X');
    pickle.extend((text.len() as u32).to_le_bytes());
    pickle.extend(text.as_bytes());
}

fn int(pickle: &mut Vec<u8>, value: usize) {
    pickle.push(b'J');
    pickle.extend((value as i32).to_le_bytes());
}

fn tuple(pickle: &mut Vec<u8>, values: &[usize]) {
    pickle.push(b'(');
    values.iter().for_each(|&value| int(pickle, value));
    pickle.push(b't');
}
