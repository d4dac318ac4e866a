//! The streams of a file. Most files have the unnamed one alone, which lies in place and takes no memory of its own.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::StreamData;

/// The streams of a file, the unnamed one first; none for a directory. In serde a sequence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileStreams {
    first: Option<StreamData>,
    /// Empty if there is no first.
    others: Vec<StreamData>,
}

impl FileStreams {
    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    pub(super) fn first(&self) -> Option<&StreamData> {
        self.first.as_ref()
    }

    pub(super) fn first_mut(&mut self) -> Option<&mut StreamData> {
        self.first.as_mut()
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut StreamData> {
        self.iter_mut().nth(index)
    }

    /// Adds a stream behind all others.
    pub(crate) fn push(&mut self, stream: StreamData) {
        if self.first.is_none() {
            self.first = Some(stream);
        } else {
            self.others.push(stream);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &StreamData> {
        self.first.iter().chain(&self.others)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut StreamData> {
        self.first.iter_mut().chain(&mut self.others)
    }
}

impl From<StreamData> for FileStreams {
    fn from(stream: StreamData) -> Self {
        Self {
            first: Some(stream),
            others: Vec::new(),
        }
    }
}

impl FromIterator<StreamData> for FileStreams {
    fn from_iter<I: IntoIterator<Item = StreamData>>(streams: I) -> Self {
        let mut streams = streams.into_iter();
        Self {
            first: streams.next(),
            others: streams.collect(),
        }
    }
}

impl Serialize for FileStreams {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for FileStreams {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::EMPTY;
    use super::*;

    #[test]
    fn it_is_a_list() {
        let stream = |number: usize| StreamData {
            name: number.to_string().as_str().into(),
            content: EMPTY,
        };
        for len in 0..4 {
            let model: Vec<StreamData> = (0..len).map(stream).collect();
            let collected: FileStreams = model.iter().cloned().collect();
            let mut streams = FileStreams::default();
            model
                .iter()
                .cloned()
                .for_each(|stream| streams.push(stream));
            assert_eq!(streams, collected);
            assert_eq!(streams.len(), len);
            assert!(streams.iter().eq(&model));
            assert_eq!(streams.first(), model.first());
            for index in 0..=len {
                assert_eq!(streams.get_mut(index).as_deref(), model.get(index));
            }
            let saved = serde_json::to_string(&streams).unwrap();
            assert_eq!(saved, serde_json::to_string(&model).unwrap());
            assert_eq!(
                serde_json::from_str::<FileStreams>(&saved).unwrap(),
                streams
            );
        }
    }
}
