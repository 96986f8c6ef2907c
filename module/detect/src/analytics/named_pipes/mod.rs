//! Named and anonymous pipes (T1559): known tools, stolen names, stolen tokens, executors, sweeps.

pub mod administrative_pipe;
pub mod coercion;
pub mod credential_tool_pipe;
pub mod executor_out_of_place;
pub mod executor_pipe;
pub mod exploit_pipe;
pub mod false_claim;
pub mod getsystem_command;
pub mod imitating_name;
pub mod impersonation_chain;
pub mod known_tool_pipe;
pub mod loopback_token;
pub mod piped_shell;
pub mod random_name;
pub mod relay;
pub mod renamed_executor;
pub mod scripted_pipe;
pub mod sensitive_pipe;
pub mod shell_pipe_path;
pub mod smuggled_path;
pub mod squatted_pipe;
pub mod stranger;
pub mod sweep;
pub mod unsafe_direction;
pub mod widened_exposure;
