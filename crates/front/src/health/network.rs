//! The networks from which the health check may be called.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

/// Parses `address/length`, `address/netmask` (IPv4), or one address, as Python's `ipaddress.ip_network` does. An address
/// with host bits set is a mistake, and refused.
pub fn parse(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let bad = || format!("{text:?} is not a network such as 192.0.2.0/24 or 2001:db8::/32");
    let (address, length) =
        text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    // The standard library refuses leading zeros in an address; ipnet's parser does not.
    let address: IpAddr = address.parse().map_err(|_| bad())?;
    let network = match (address, length) {
        (_, None) => Some(address.into()),
        (IpAddr::V4(v4), Some(length)) if length.contains('.') => masked(v4, length),
        (_, Some(length)) => length.parse().ok().and_then(|length| IpNet::new(address, length).ok()),
    };
    let network = network.ok_or_else(bad)?;
    if network.network() != address {
        return Err(format!("{text:?} has bits set beyond the network's"));
    }
    Ok(network)
}

/// A network with a netmask or a host mask.
fn masked(address: Ipv4Addr, mask: &str) -> Option<IpNet> {
    let mask: Ipv4Addr = mask.parse().ok()?;
    let network = Ipv4Net::with_netmask(address, mask).or_else(|_| Ipv4Net::with_netmask(address, !mask));
    network.ok().map(IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_addresses() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.0.0.0/8", "10.0.0.0", "::ffff:10.0.0.1"),
            ("192.0.2.128/25", "192.0.2.128", "192.0.2.127"),
            ("10.0.0.0/255.255.0.0", "10.0.9.9", "10.1.0.0"),
            ("10.0.0.0/0.0.255.255", "10.0.9.9", "10.1.0.0"),
            ("10.0.0.0/255.255.255.255", "10.0.0.0", "10.0.0.1"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("0.0.0.0/0.0.0.0", "255.255.255.255", "::"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("::1", "::1", "::2"),
            ("::/0", "2001:db8::1", "127.0.0.1"),
            (" 10.0.0.0/08 ", "10.1.1.1", "9.255.255.255"),
        ] {
            let parsed = parse(network).unwrap();
            assert!(parsed.contains(&inside.parse::<IpAddr>().unwrap()), "{inside} in {network}");
            assert!(!parsed.contains(&outside.parse::<IpAddr>().unwrap()), "{outside} not in {network}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            "",
            "x",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "10.0.0.1/8",
            "10.0.0.0/255.0.255.0",
            "010.0.0.0/8",
            "10/8",
            "2001:db8::/129",
            "2001:db8::1/32",
            "2001:db8::/255.255.0.0",
            "10.0.0.0/8/8",
        ] {
            assert!(parse(bad).unwrap_err().contains(bad), "{bad}");
        }
    }
}
