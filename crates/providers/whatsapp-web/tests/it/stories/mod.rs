//! Whole stories: an engine with the provider on one side, a WhatsApp Web server with phones on the other.

mod asks;
mod endings;
mod gone;
mod holes;
mod house;
mod kinds;
mod linking;
mod outages;
mod people;
mod pipe;
mod strange;
mod takeover;
mod texts;
mod trouble;
