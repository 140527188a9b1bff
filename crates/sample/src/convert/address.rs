//! Converters on addresses (manual, section 7.3.1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::args::{ArgValue, Args, CompileEnv};
use crate::context::Context;
use crate::kind::Kind::Addr;
use crate::registry::Converter;
use crate::value::Sample;

pub(super) const CONVERTERS: &[Converter] =
    &[Converter::new("ipmask", "IPv4 mask[,IPv6 mask]", Addr, Addr, ipmask).preparing(prepare)];

/// Takes masks as lengths, addresses (`255.255.0.0`, `ffff::`) or text of either form.
fn prepare(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let first = mask(args.get(0), 32).ok_or("an IPv4 mask is expected")?;
    args.set(0, ArgValue::Ip(first));
    if !matches!(args.get(1), ArgValue::Absent) {
        let second = mask(args.get(1), 128).ok_or("an IPv6 mask is expected")?;
        args.set(1, ArgValue::Ip(second));
    }
    Ok(())
}

fn mask(arg: &ArgValue, width: u8) -> Option<IpAddr> {
    let bits = match arg {
        ArgValue::Ip(ip) => return (ip.is_ipv4() == (width == 32)).then_some(*ip),
        ArgValue::Mask(bits) => *bits,
        ArgValue::Int(bits) => u8::try_from(*bits).ok()?,
        ArgValue::Str(text) => {
            let text = std::str::from_utf8(text).ok()?;
            match text.parse() {
                Ok(bits) => bits,
                Err(_) => return mask(&ArgValue::Ip(text.parse().ok()?), width),
            }
        }
        _ => return None,
    };
    let left = u32::from(width.checked_sub(bits)?);
    Some(if width == 32 {
        Ipv4Addr::from_bits(u32::MAX.checked_shl(left).unwrap_or(0)).into()
    } else {
        Ipv6Addr::from_bits(u128::MAX.checked_shl(left).unwrap_or(0)).into()
    })
}

/// The network of an address. An IPv6 address that carries an IPv4 one is masked as that.
fn ipmask<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let masks = (args.get(0), args.get(1));
    let ip = match sample {
        Sample::Ipv6(ip) => ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4),
        Sample::Ipv4(ip) => IpAddr::V4(ip),
        _ => return None,
    };
    match (ip, masks) {
        (IpAddr::V4(ip), (ArgValue::Ip(IpAddr::V4(mask)), _)) => Some(Sample::Ipv4(ip & mask)),
        (IpAddr::V6(ip), (_, ArgValue::Ip(IpAddr::V6(mask)))) => Some(Sample::Ipv6(ip & mask)),
        _ => None,
    }
}
