"""The stages as Faust agents between Kafka topics: `tindon worker`, and what it sends and keeps."""
