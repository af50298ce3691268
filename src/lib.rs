//! The page and the worker of the Kafka playground; see ARCHITECTURE.md.
