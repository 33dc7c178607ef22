//! The heart of renewd: money, calendar, resources, policies, quotes and orders as pure values.
//!
//! Nothing in this crate reads a clock, a file, the network or randomness; nothing uses floats. The time is
//! always an argument. The same inputs therefore give the same outputs for ever, which is what lets an order
//! be replayed years later.

#![cfg_attr(not(test), deny(clippy::float_arithmetic, clippy::arithmetic_side_effects))]

pub mod calendar;
pub mod cover;
pub mod decide;
pub mod documents;
pub mod event;
pub mod ids;
pub mod money;
pub mod order;
pub mod planted;
pub mod quote;
pub mod refusal;
pub mod resource;
pub mod state;
pub mod web;
