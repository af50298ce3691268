//! DescribeCluster (API key 60). Kafka: `KafkaApis.handleDescribeCluster`, `AuthHelper.computeDescribeClusterResponse`.

use super::KafkaNode;
use crate::protocol::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse, ErrorCode,
};

/// `EndpointType.BROKER`
const BROKER_ENDPOINTS: i8 = 1;

impl KafkaNode {
    pub(super) fn handle_describe_cluster(
        &self,
        request: &DescribeClusterRequest,
    ) -> DescribeClusterResponse {
        if request.endpoint_type > BROKER_ENDPOINTS {
            return DescribeClusterResponse {
                error_code: ErrorCode::MismatchedEndpointType.code(),
                error_message: Some(
                    "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER"
                        .to_owned(),
                ),
                ..DescribeClusterResponse::default()
            };
        }
        let shown = self
            .image()
            .brokers
            .values()
            .filter(|broker| !broker.fenced || request.include_fenced_brokers);
        let brokers = shown.map(|broker| DescribeClusterBroker {
            broker_id: broker.id,
            host: broker.host.clone(),
            port: broker.port,
            rack: broker.rack.clone(),
            is_fenced: broker.fenced,
        });
        DescribeClusterResponse {
            endpoint_type: BROKER_ENDPOINTS,
            cluster_id: self.identity.cluster_id.clone(),
            controller_id: self.controller.leader().unwrap_or(-1),
            brokers: brokers.collect(),
            ..DescribeClusterResponse::default()
        }
    }
}
