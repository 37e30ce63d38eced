//! What every RESP-speaking process has: event loop, clients, command descriptions. Knows no data.
