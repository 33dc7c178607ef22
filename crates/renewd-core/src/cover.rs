//! Which policy covers a resource, and which mode it therefore has.

use crate::documents::{Mode, Overrides, RenewalPolicy};
use crate::ids::PolicyName;
use crate::resource::{ModeOverride, Resource};
use chrono::{DateTime, Utc};

/// The policy that a resource has at a moment.
#[derive(Debug, Clone, PartialEq)]
pub enum Cover<'a> {
    /// The one policy of the highest priority that matches; it wins whole.
    Policy(&'a RenewalPolicy),
    /// No policy matches: the resource is manual and cannot be quoted.
    None,
    /// Several policies of the same highest priority match, by name.
    Conflict(Vec<&'a PolicyName>),
}

impl<'a> Cover<'a> {
    /// Finds the policy of a resource among all policies.
    pub fn find(resource: &Resource, policies: impl IntoIterator<Item = &'a RenewalPolicy>) -> Self {
        let subject = resource.subject();
        let mut best: Vec<&'a RenewalPolicy> = Vec::new();
        for policy in policies {
            let top = best.first().map(|first| first.priority);
            if top.is_some_and(|top| policy.priority < top) || !policy.matcher.matches(&subject) {
                continue;
            }
            if top.is_some_and(|top| top < policy.priority) {
                best.clear();
            }
            best.push(policy);
        }
        match best.as_slice() {
            [] => Self::None,
            [only] => Self::Policy(only),
            several => Self::Conflict(several.iter().map(|policy| &policy.name).collect()),
        }
    }

    /// The policy, where there is exactly one.
    pub fn policy(&self) -> Option<&'a RenewalPolicy> {
        match self {
            Self::Policy(policy) => Some(policy),
            Self::None | Self::Conflict(_) => None,
        }
    }
}

/// Where a resource's mode comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModeSource<'a> {
    /// A person or an inventory chose it.
    Override(&'a ModeOverride),
    /// Its policy says so.
    Policy(&'a PolicyName),
    /// No policy decides, so it is manual.
    Default,
}

/// The mode of a resource at a moment, and where it comes from.
pub fn mode_of<'a>(resource: &'a Resource, cover: &Cover<'a>, now: DateTime<Utc>) -> (Mode, ModeSource<'a>) {
    let policy = cover.policy();
    let overridable = policy.is_none_or(|policy| policy.overrides == Overrides::Allow);
    if overridable && let Some(chosen) = resource.active_override(now) {
        return (chosen.mode, ModeSource::Override(chosen));
    }
    policy.map_or((Mode::Manual, ModeSource::Default), |policy| (policy.mode, ModeSource::Policy(&policy.name)))
}
