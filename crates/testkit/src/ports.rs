//! Free ports on the loopback interface.

use std::net::{Ipv4Addr, TcpListener};

/// `N` different ports that nobody listens on now. They are held open together while they are picked, so that
/// they differ; a server must bind them soon after.
pub fn free<const N: usize>() -> std::io::Result<[u16; N]> {
    let mut listeners = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(ports)
}
