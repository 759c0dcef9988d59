//! The networks from which the health check may be called.

use std::net::IpAddr;

/// A range of addresses, in the forms that Python's `ipaddress.ip_network` accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// The prefix length in bits.
    length: u32,
}

impl Network {
    /// Parses `address/length`, `address/netmask` (IPv4), or one address. An address with host bits set is a mistake,
    /// and refused.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let bad = || format!("{text:?} is not a network such as 192.0.2.0/24 or 2001:db8::/32");
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let length = match length {
            None => width(address),
            Some(length) => prefix_length(length, address).ok_or_else(bad)?,
        };
        let network = Self { address, length };
        if bits(address) & network.host_mask() != 0 {
            return Err(format!("{text:?} has bits set beyond the network's"));
        }
        Ok(network)
    }

    /// Whether an address is in the network. An IPv4 address is in no IPv6 network.
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4() && bits(address) & !self.host_mask() == bits(self.address)
    }

    /// The mask of the host bits.
    fn host_mask(&self) -> u128 {
        let host = width(self.address) - self.length;
        // 128 bits cannot be shifted by 128.
        u128::MAX.checked_shr(128 - host).unwrap_or(0)
    }
}

/// Parses a prefix length in digits, or for IPv4 as a netmask or host mask.
fn prefix_length(text: &str, address: IpAddr) -> Option<u32> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|length| *length <= width(address));
    }
    let mask = u32::from(text.parse::<std::net::Ipv4Addr>().ok().filter(|_| address.is_ipv4())?);
    let length = |mask: u32| (mask.leading_ones() + mask.trailing_zeros() == 32).then(|| mask.leading_ones());
    // 0.0.0.0 is a netmask of length 0.
    length(mask).or_else(|| length(!mask))
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u32::from(v4).into(),
        IpAddr::V6(v6) => v6.into(),
    }
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
            let parsed = Network::parse(network).unwrap();
            assert!(parsed.contains(inside.parse().unwrap()), "{inside} in {network}");
            assert!(!parsed.contains(outside.parse().unwrap()), "{outside} not in {network}");
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
            assert!(Network::parse(bad).unwrap_err().contains(bad), "{bad}");
        }
    }
}
