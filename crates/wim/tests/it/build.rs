//! WIM files of every layout, built from their contents: compressed, pipable, solid, split.

use wcow_tree::memory::MemoryTree;
use wcow_wim::{NewImage, Options, ReadAt, Wim, write_uncompressed};

use crate::encode::encode;
use crate::support::{LOOKUP_TABLE, XML, options, put, resource, sha1, u64_at};

const HEADER: usize = 208;
const COMPRESSED: u8 = 4;
const SOLID: u8 = 0x10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    None,
    Xpress,
    Lzx,
    Lzms,
}

impl Algorithm {
    /// In the header's flags.
    fn flag(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Xpress => 0x2_0002,
            Self::Lzx => 0x4_0002,
            Self::Lzms => 0x8_0002,
        }
    }

    /// In a solid resource.
    fn number(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Xpress => 1,
            Self::Lzx => 2,
            Self::Lzms => 3,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Codec {
    pub(crate) algorithm: Algorithm,
    pub(crate) chunk_size: u32,
}

impl Codec {
    pub(crate) const NONE: Self = Self::new(Algorithm::None, 0);
    pub(crate) const XPRESS: Self = Self::new(Algorithm::Xpress, 4096);

    pub(crate) const fn new(algorithm: Algorithm, chunk_size: u32) -> Self {
        Self {
            algorithm,
            chunk_size,
        }
    }

    /// The stored chunks of `contents`.
    fn chunks(self, contents: &[u8]) -> Vec<Vec<u8>> {
        contents
            .chunks(self.chunk_size as usize)
            .map(|chunk| {
                encode(self.algorithm, self.chunk_size, chunk).unwrap_or_else(|| chunk.to_vec())
            })
            .collect()
    }
}

/// What files hold, whatever their layout.
#[derive(Clone, Debug)]
pub(crate) struct Contents {
    /// The metadata of each image.
    pub(crate) images: Vec<Vec<u8>>,
    pub(crate) blobs: Vec<Vec<u8>>,
    pub(crate) xml: Vec<u8>,
}

impl Contents {
    /// Images of these trees, named 1, 2, ...
    pub(crate) fn of(trees: &[MemoryTree]) -> Self {
        let mut trees = trees.to_vec();
        let images = trees.iter_mut().zip(1..);
        let images = images.map(|(tree, index)| NewImage::new(format!("image {index}"), tree));
        let mut out = std::io::Cursor::new(Vec::new());
        write_uncompressed(&mut out, images.collect(), &options()).expect("it can be written");
        let file = out.into_inner();
        let piece = |at: usize| {
            let start = u64_at(&file, at + 8) as usize;
            file[start..start + u64_at(&file, at + 16) as usize].to_vec()
        };
        let table = piece(LOOKUP_TABLE);
        let mut contents = Self {
            images: Vec::new(),
            blobs: Vec::new(),
            xml: piece(XML),
        };
        let start = u64_at(&file, LOOKUP_TABLE + 8) as usize;
        for row in (start..start + table.len()).step_by(50) {
            let list = if file[row + 7] & 2 != 0 {
                &mut contents.images
            } else {
                &mut contents.blobs
            };
            list.push(piece(row));
        }
        contents
    }
}

/// How solid runs are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Solid {
    pub(crate) codec: Codec,
    /// A run ends after so many blobs.
    pub(crate) blobs: usize,
    /// A resource ends after so many bytes, also within a blob.
    pub(crate) resource: usize,
}

/// How contents are laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) codec: Codec,
    pub(crate) pipable: bool,
    pub(crate) solid: Option<Solid>,
    pub(crate) parts: u16,
    /// Bytes of one piece of the integrity table.
    pub(crate) integrity: Option<usize>,
}

impl Style {
    pub(crate) const PLAIN: Self = Self {
        codec: Codec::NONE,
        pipable: false,
        solid: None,
        parts: 1,
        integrity: None,
    };

    pub(crate) fn compressed(codec: Codec) -> Self {
        Self {
            codec,
            ..Self::PLAIN
        }
    }

    pub(crate) fn solid(codec: Codec, blobs: usize, resource: usize) -> Self {
        Self {
            solid: Some(Solid {
                codec,
                blobs,
                resource,
            }),
            ..Self::compressed(Codec::XPRESS)
        }
    }

    /// The files, one for each part: the metadata in the first, the blobs in turn in each.
    pub(crate) fn files(&self, contents: &Contents) -> Vec<Vec<u8>> {
        let parts = usize::from(self.parts);
        let mut files: Vec<File> = (1..=self.parts)
            .map(|part| File::new(self.codec, self.pipable, part, self.parts))
            .collect();
        for image in &contents.images {
            files[0].metadata(image);
        }
        for (index, file) in files.iter_mut().enumerate() {
            let own: Vec<&[u8]> = contents.blobs[..]
                .iter()
                .skip(index)
                .step_by(parts)
                .map(Vec::as_slice)
                .collect();
            match self.solid {
                None => own.iter().for_each(|blob| file.blob(blob)),
                Some(solid) => {
                    for blobs in own.chunks(solid.blobs) {
                        // A row that is not solid ends the run before.
                        file.blob_row([0; 24], &[]);
                        file.solid_run(solid.codec, solid.resource, blobs);
                    }
                }
            }
        }
        let finish = |file: File| file.finish(&contents.xml, contents.images.len(), self.integrity);
        files.into_iter().map(finish).collect()
    }

    /// The one file.
    pub(crate) fn file(&self, contents: &Contents) -> Vec<u8> {
        let [file] = <[_; 1]>::try_from(self.files(contents)).expect("it has one part");
        file
    }

    /// Opens the files.
    #[track_caller]
    pub(crate) fn open(&self, contents: &Contents) -> Wim {
        open_parts(self.files(contents), Options::default()).expect("it opens")
    }
}

/// Opens parts that are in memory.
pub(crate) fn open_parts(
    files: Vec<Vec<u8>>,
    options: Options,
) -> Result<Wim, wcow_wim::OpenError> {
    let sources = files
        .into_iter()
        .map(|file| Box::new(file) as Box<dyn ReadAt>);
    Wim::open_parts(sources.collect(), options)
}

/// One file that is being built.
pub(crate) struct File {
    pub(crate) bytes: Vec<u8>,
    /// The rows of the lookup table.
    pub(crate) rows: Vec<[u8; 50]>,
    codec: Codec,
    pipable: bool,
    part: u16,
    parts: u16,
}

impl File {
    pub(crate) fn new(codec: Codec, pipable: bool, part: u16, parts: u16) -> Self {
        Self {
            bytes: vec![0; HEADER],
            rows: Vec::new(),
            codec,
            pipable,
            part,
            parts,
        }
    }

    /// A file of one image of this tree; its blobs are still to be added.
    pub(crate) fn with_image(codec: Codec, contents: &Contents) -> Self {
        let mut file = Self::new(codec, false, 1, 1);
        for image in &contents.images {
            file.metadata(image);
        }
        file
    }

    pub(crate) fn metadata(&mut self, contents: &[u8]) {
        let mut header = self.store(contents);
        header[7] |= 2;
        self.row(header, contents);
    }

    pub(crate) fn blob(&mut self, contents: &[u8]) {
        let header = self.store(contents);
        self.row(header, contents);
    }

    /// A row for a blob with this resource header.
    pub(crate) fn blob_row(&mut self, header: [u8; 24], contents: &[u8]) {
        self.row(header, contents);
    }

    /// Solid resources that hold the blobs one behind the other, each of at most `resource` bytes.
    pub(crate) fn solid_run(&mut self, codec: Codec, resource: usize, blobs: &[&[u8]]) {
        let all = blobs.concat();
        for contents in all.chunks(resource) {
            let header = self.solid_resource(codec, contents);
            self.row(header, &[]);
        }
        let mut offset = 0;
        for &blob in blobs {
            self.solid_blob(offset, blob);
            offset += blob.len();
        }
    }

    /// One solid resource without its row: the row's resource header.
    pub(crate) fn solid_resource(&mut self, codec: Codec, contents: &[u8]) -> [u8; 24] {
        let chunks = codec.chunks(contents);
        let offset = self.bytes.len();
        self.bytes.extend((contents.len() as u64).to_le_bytes());
        self.bytes.extend(codec.chunk_size.to_le_bytes());
        self.bytes.extend(codec.algorithm.number().to_le_bytes());
        for chunk in &chunks {
            self.bytes.extend((chunk.len() as u32).to_le_bytes());
        }
        self.bytes.extend(chunks.concat());
        resource(
            self.bytes.len() - offset,
            SOLID | COMPRESSED,
            offset,
            1 << 32,
        )
    }

    /// A row for a blob at `offset` in the solid run.
    pub(crate) fn solid_blob(&mut self, offset: usize, contents: &[u8]) {
        let header = resource(contents.len(), SOLID | COMPRESSED, offset, contents.len());
        self.row(header, contents);
    }

    pub(crate) fn row(&mut self, header: [u8; 24], contents: &[u8]) {
        let mut row = [0; 50];
        put(&mut row, 0, &header);
        put(&mut row, 24, &self.part.to_le_bytes());
        put(&mut row, 26, &1_u32.to_le_bytes());
        put(&mut row, 30, &sha1(contents).0);
        self.rows.push(row);
    }

    /// Appends a resource, compressed as the file is.
    fn store(&mut self, contents: &[u8]) -> [u8; 24] {
        let offset = self.bytes.len();
        if self.codec.algorithm == Algorithm::None || contents.is_empty() {
            self.bytes.extend(contents);
            return resource(contents.len(), 0, offset, contents.len());
        }
        let chunks = self.codec.chunks(contents);
        let mut end = 0;
        let table: Vec<u8> = chunks[..chunks.len() - 1]
            .iter()
            .flat_map(|chunk| {
                end += chunk.len() as u32;
                end.to_le_bytes()
            })
            .collect();
        if self.pipable {
            for chunk in &chunks {
                self.bytes.extend((chunk.len() as u32).to_le_bytes());
                self.bytes.extend(chunk);
            }
            self.bytes.extend(table);
        } else if chunks.concat().len() + table.len() >= contents.len() {
            // As real writers do it.
            self.bytes.extend(contents);
            return resource(contents.len(), 0, offset, contents.len());
        } else {
            self.bytes.extend(table);
            self.bytes.extend(chunks.concat());
        }
        resource(
            self.bytes.len() - offset,
            COMPRESSED,
            offset,
            contents.len(),
        )
    }

    /// The file with its tables and its header.
    pub(crate) fn finish(mut self, xml: &[u8], images: usize, integrity: Option<usize>) -> Vec<u8> {
        let mut header = vec![0; HEADER];
        let magic = if self.pipable { b"WLPWM" } else { b"MSWIM" };
        put(&mut header, 0, magic);
        put(&mut header, 8, &208_u32.to_le_bytes());
        put(&mut header, 12, &0xE00_u32.to_le_bytes());
        put(&mut header, 16, &self.codec.algorithm.flag().to_le_bytes());
        put(&mut header, 20, &self.codec.chunk_size.to_le_bytes());
        put(&mut header, 24, &[7; 16]);
        put(&mut header, 40, &self.part.to_le_bytes());
        put(&mut header, 42, &self.parts.to_le_bytes());
        put(&mut header, 44, &(images as u32).to_le_bytes());
        if self.pipable {
            put(&mut self.bytes, 0, &header);
        }
        let table = self.rows.concat();
        let mut append = |contents: &[u8], at: usize| {
            let offset = self.bytes.len();
            self.bytes.extend(contents);
            put(
                &mut header,
                at,
                &resource(contents.len(), 2, offset, contents.len()),
            );
        };
        append(&table, LOOKUP_TABLE);
        append(xml, XML);
        if let Some(piece) = integrity {
            let end = u64_at(&header, LOOKUP_TABLE + 8) as usize + table.len();
            let digests: Vec<u8> = self.bytes[HEADER..end]
                .chunks(piece)
                .flat_map(|piece| sha1(piece).0)
                .collect();
            let fixed = [12 + digests.len(), digests.len() / 20, piece];
            let mut table: Vec<u8> = fixed
                .iter()
                .flat_map(|field| (*field as u32).to_le_bytes())
                .collect();
            table.extend(digests);
            let offset = self.bytes.len();
            self.bytes.extend(&table);
            put(
                &mut header,
                0x7C,
                &resource(table.len(), 2, offset, table.len()),
            );
        }
        if self.pipable {
            self.bytes.extend(header);
        } else {
            put(&mut self.bytes, 0, &header);
        }
        self.bytes
    }
}
