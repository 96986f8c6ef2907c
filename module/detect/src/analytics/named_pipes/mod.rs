//! Named and anonymous pipes (T1559): known tools, stolen names, stolen tokens, executors, sweeps.

pub mod administrative_pipe;
pub mod credential_tool_pipe;
pub mod executor_out_of_place;
pub mod executor_pipe;
pub mod exploit_pipe;
pub mod getsystem_command;
pub mod impersonation_chain;
pub mod known_tool_pipe;
pub mod loopback_token;
pub mod renamed_executor;
pub mod sensitive_pipe;
pub mod shell_pipe_path;
pub mod smuggled_path;
pub mod squatted_pipe;
pub mod sweep;
pub mod widened_exposure;
