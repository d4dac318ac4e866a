//! Calls about layers.

use wcow_engine::EngineError;
use wcow_host::{Host, HostError, LayerDescriptor, LayerStorage};
use wcow_ntmeta::HostPath;

use super::calls::{both, doing};
use super::{Player, direct};
use crate::Call;

impl<H: Host> Player<'_, H> {
    pub(super) async fn layer_call(&self, call: &Call) -> Result<String, EngineError> {
        let layers = self.engine.host().layers();
        let doing = doing(call);
        match call {
            Call::ProcessBase(path) => {
                direct(doing, layers.process_base(&self.place(path).await?)).await?;
            }
            Call::CreateScratch { folder, image } => {
                let folder = self.place(folder).await?;
                let parents = [self.parent(image).await?];
                direct(doing, layers.create_scratch(&folder, &parents)).await?;
            }
            Call::MountLayer { layer, image } => {
                let layer = self.place(layer).await?;
                let parents = [self.parent(image).await?];
                direct(doing.clone(), layers.activate(&layer)).await?;
                direct(doing, layers.prepare(&layer, &parents)).await?;
            }
            Call::MountTogether {
                first,
                second,
                image,
            } => {
                let pair = [self.place(first).await?, self.place(second).await?];
                let parents = [self.parent(image).await?];
                direct(doing, self.mount_together(&pair, &parents)).await?;
            }
            Call::ExportLayer {
                layer,
                folder,
                image,
            } => {
                let (layer, folder) = (self.place(layer).await?, self.place(folder).await?);
                let parents = self.parents(image.as_deref()).await?;
                direct(doing, layers.export(&layer, &folder, &parents)).await?;
            }
            Call::ImportLayer {
                layer,
                folder,
                image,
            } => {
                let (layer, folder) = (self.place(layer).await?, self.place(folder).await?);
                let parents = self.parents(image.as_deref()).await?;
                direct(doing, layers.import(&layer, &folder, &parents)).await?;
            }
            Call::ExpandScratch { layer, gib } => {
                let layer = self.place(layer).await?;
                direct(doing, layers.expand(&layer, u64::from(*gib) << 30)).await?;
            }
            Call::UnprepareLayer(path) => {
                direct(doing, layers.unprepare(&self.place(path).await?)).await?;
            }
            Call::DestroyLayer(path) => {
                direct(doing, layers.destroy(&self.place(path).await?)).await?;
            }
            _ => {}
        }
        Ok(String::new())
    }

    /// Mounts two layers with their calls on the way at the same time. If one is refused, the other is unmounted and both are
    /// detached.
    async fn mount_together(
        &self,
        pair: &[HostPath; 2],
        parents: &[LayerDescriptor],
    ) -> Result<(), HostError> {
        let layers = self.engine.host().layers();
        let [first, second] = pair;
        for layer in pair {
            layers.activate(layer).await?;
        }
        let outcomes = both(
            layers.prepare(first, parents),
            layers.prepare(second, parents),
        );
        let (one, other) = outcomes.await;
        if one.is_ok() && other.is_ok() {
            return Ok(());
        }
        for (layer, outcome) in [(first, &one), (second, &other)] {
            if outcome.is_ok() {
                layers.unprepare(layer).await?;
            }
            layers.deactivate(layer).await?;
        }
        one.and(other)
    }

    async fn parents(&self, image: Option<&str>) -> Result<Vec<LayerDescriptor>, EngineError> {
        match image {
            Some(image) => Ok(vec![self.parent(image).await?]),
            None => Ok(Vec::new()),
        }
    }
}
