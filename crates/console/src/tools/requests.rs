//! The admin client's methods that several tools use, each one request or a few. Kafka: `KafkaAdminClient`.

use cluster::java::JavaHashMap;
use cluster::protocol::{
    Cursor, DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse,
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResult,
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponseTopic, MetadataRequest,
    MetadataResponse, Response, TopicRequest,
};

use super::admin::AdminClient;
use super::common::Properties;
use super::exception::{Attempt, Exception, attempt};
use crate::client::Destination;
use crate::options::Arguments;
use crate::script::{Pending, Script};

/// The kind of a topic in requests about configurations.
pub const TOPIC_RESOURCE: i8 = 2;

/// Sends a request and takes the answer of its kind out of the response.
macro_rules! call {
    ($admin:expr, $script:expr, $name:literal, $to:expr, $request:expr, $kind:ident) => {
        match attempt!($admin.call(
            $script,
            $name,
            $to,
            &cluster::protocol::Request::from($request)
        )?) {
            cluster::protocol::Response::$kind(response) => *response,
            other => return Ok(Err($crate::tools::requests::wrong_answer(&other))),
        }
    };
}
pub(super) use call;

/// An answer to another question; no Kafka node gives one.
pub fn wrong_answer(response: &Response) -> Exception {
    Exception::new(
        "java.lang.ClassCastException",
        format!("{}Response is not the answer to this request", response.api_name()),
    )
}

/// The settings in the file that `option` names; a missing file is the exception of `Files.newInputStream`.
pub fn load_properties(
    script: &mut Script<'_>,
    arguments: &Arguments,
    option: &str,
) -> Result<Properties, Exception> {
    let Some(path) = arguments.value(option)? else { return Ok(Properties::default()) };
    Properties::load(path, script)
        .map_err(|path| Exception::new("java.nio.file.NoSuchFileException", path))
}

/// `Admin.create`
pub fn create_admin(
    script: &mut Script<'_>,
    servers: &str,
    config: &Properties,
) -> Result<AdminClient, Exception> {
    AdminClient::create(script, servers, "adminclient-1", config).map_err(|_| {
        Exception::new(
            "org.apache.kafka.common.KafkaException",
            "Failed to create new KafkaAdminClient",
        )
    })
}

/// `Admin.listTopics`: the metadata of all topics.
pub fn list_topics(script: &mut Script<'_>, admin: &mut AdminClient) -> Attempt<MetadataResponse> {
    let request = MetadataRequest { topics: None, allow_auto_topic_creation: true };
    Ok(Ok(call!(admin, script, "listTopics", &Destination::Any, request, Metadata)))
}

/// `Admin.describeCluster`
pub fn describe_cluster(
    script: &mut Script<'_>,
    admin: &mut AdminClient,
) -> Attempt<DescribeClusterResponse> {
    let request = DescribeClusterRequest {
        include_cluster_authorized_operations: false,
        endpoint_type: 1,
        include_fenced_brokers: false,
    };
    let response = call!(admin, script, "listNodes", &Destination::Any, request, DescribeCluster);
    attempt!(Exception::of_code(response.error_code, response.error_message.as_deref()));
    Ok(Ok(response))
}

/// The living brokers. `Admin.describeCluster().nodes()`
pub fn brokers(
    script: &mut Script<'_>,
    admin: &mut AdminClient,
) -> Attempt<Vec<DescribeClusterBroker>> {
    Ok(describe_cluster(script, admin)?.map(|cluster| cluster.brokers))
}

/// What is known of a topic.
pub type TopicDescription = DescribeTopicPartitionsResponseTopic;

/// By name, each described or refused.
pub type DescribedTopics = Vec<(String, Result<TopicDescription, Exception>)>;

/// `Admin.describeTopics` by names, sorted: one entry each, partitions by index.
pub fn describe_topics(
    script: &mut Script<'_>,
    admin: &mut AdminClient,
    names: &[String],
    partition_limit: i32,
) -> Result<DescribedTopics, Pending> {
    let failed = |error: Exception| -> DescribedTopics {
        names.iter().map(|name| (name.clone(), Err(error.clone()))).collect()
    };
    let mut open: Vec<String> = names.to_vec();
    simulation::sorted::sort(&mut open);
    let mut described: DescribedTopics = Vec::new();
    let mut cursor: Option<Cursor> = None;
    if open.is_empty() {
        return Ok(described);
    }
    if let Err(error) = describe_cluster(script, admin)? {
        return Ok(failed(error));
    }
    loop {
        let request = DescribeTopicPartitionsRequest {
            topics: open.iter().map(|name| TopicRequest { name: name.clone() }).collect(),
            response_partition_limit: partition_limit,
            cursor: cursor.clone(),
        };
        let answer =
            admin.call(script, "describeTopicPartitions", &Destination::Any, &request.into())?;
        let response = match answer {
            Ok(Response::DescribeTopicPartitions(response)) => *response,
            Ok(other) => return Ok(failed(wrong_answer(&other))),
            Err(error) => return Ok(failed(error.into())),
        };
        for topic in response.topics {
            let Some(name) = topic.name.clone() else { continue };
            let known = described.iter_mut().find(|(known, _)| *known == name);
            match (Exception::of_code(topic.error_code, None), known) {
                (Err(error), _) => described.push((name, Err(error))),
                (Ok(()), Some((_, Ok(begun)))) => begun.partitions.extend(topic.partitions),
                (Ok(()), _) => described.push((name, Ok(topic))),
            }
        }
        // Topics before the cursor's are complete.
        match response.next_cursor {
            Some(next) if cursor.as_ref() != Some(&next) => {
                open.retain(|name| *name >= next.topic_name);
                cursor = Some(next);
            }
            _ => break,
        }
    }
    for (_, topic) in &mut described {
        if let Ok(topic) = topic {
            simulation::sorted::sort_by_key(&mut topic.partitions, |partition| {
                partition.partition_index
            });
        }
    }
    Ok(described)
}

/// The order in which `describeTopics(names).allTopicNames()` lists the topics: that of a `HashMap` made from a `HashMap`
/// made from a `HashMap`, each of its own capacity.
pub fn described_order<V>(described: Vec<(String, V)>) -> Vec<(String, V)> {
    let size = described.len();
    let mut futures = JavaHashMap::with_capacity(size);
    let mut values: Vec<Option<V>> = Vec::with_capacity(size);
    for (index, (name, value)) in described.into_iter().enumerate() {
        futures.insert(name, index);
        values.push(Some(value));
    }
    let copy = JavaHashMap::copy_of(
        futures.iter().map(|(name, index)| (name.clone(), *index)).collect::<Vec<_>>().into_iter(),
    );
    let mut all = JavaHashMap::with_capacity(size);
    for (name, index) in copy.iter() {
        all.insert(name.clone(), *index);
    }
    all.iter()
        .filter_map(|(name, index)| Some((name.clone(), values.get_mut(*index)?.take()?)))
        .collect()
}

/// `Admin.describeConfigs` of topics.
pub fn describe_topic_configs(
    script: &mut Script<'_>,
    admin: &mut AdminClient,
    names: &[String],
) -> Attempt<Vec<DescribeConfigsResult>> {
    if names.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let resource = |name: &String| DescribeConfigsResource {
        resource_type: TOPIC_RESOURCE,
        resource_name: name.clone(),
        configuration_keys: None,
    };
    let request = DescribeConfigsRequest {
        resources: names.iter().map(resource).collect(),
        include_synonyms: false,
        include_documentation: false,
    };
    let response =
        call!(admin, script, "describeConfigs", &Destination::Any, request, DescribeConfigs);
    Ok(Ok(response.results))
}
