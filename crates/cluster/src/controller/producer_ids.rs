//! Producer ids in blocks: a broker gets a thousand at a time. Kafka: `ProducerIdControlManager`.

use super::api_error::ApiError;
use super::cluster_control::check_broker_epoch;
use super::image::MetadataImage;
use super::records::MetadataRecord;
use crate::protocol::errors::ErrorCode;
use crate::types::BrokerId;

/// Ids in a block. Kafka: `ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`.
pub const PRODUCER_ID_BLOCK_SIZE: i32 = 1_000;

/// The next block for a broker: its first id, and the record that takes it.
pub fn allocate(
    image: &MetadataImage,
    broker_id: BrokerId,
    broker_epoch: i64,
) -> Result<(i64, MetadataRecord), ApiError> {
    check_broker_epoch(image, broker_id, broker_epoch)?;
    let first = image.next_producer_id;
    let Some(next) = first.checked_add(PRODUCER_ID_BLOCK_SIZE.into()) else {
        return Err(ApiError::new(
            ErrorCode::UnknownServerError,
            "Exhausted all producerIds as the next block's end producerId has exceeded the int64 type limit",
        ));
    };
    Ok((first, MetadataRecord::ProducerIds { broker_id, broker_epoch, next_producer_id: next }))
}
