// The libsrtp 3 calls that mediasoup makes, on libsrtp 2 (which Debian has).
//
// Version 3 made the policy an opaque object, gave protect and unprotect separate in and out buffers, and lengths the type
// size_t. Version 2 has an open struct, works in place, and takes int.
#pragma once

#define srtp_policy_t srtp2_policy_t
#include <srtp2/srtp.h>
#undef srtp_policy_t

#include <climits>
#include <cstdint>
#include <cstring>
#include <new>

// Codes that version 2 never returns; mediasoup has texts for them.
constexpr auto srtp_err_status_buffer_small = static_cast<srtp_err_status_t>(28);
constexpr auto srtp_err_status_cryptex_err  = static_cast<srtp_err_status_t>(29);

struct Srtp3Policy
{
	// The longest master key and salt of any profile: AES-256 in counter mode, 32 + 14 bytes.
	static constexpr size_t MaxKeyLength{ 46 };

	srtp2_policy_t policy{};
	srtp_profile_t profile{ srtp_profile_reserved };
	uint8_t key[MaxKeyLength]{};
};

using srtp_policy_t = Srtp3Policy*;

inline srtp_err_status_t srtp_policy_create(srtp_policy_t* policy)
{
	*policy = new (std::nothrow) Srtp3Policy();

	return *policy ? srtp_err_status_ok : srtp_err_status_alloc_fail;
}

inline void srtp_policy_destroy(srtp_policy_t policy)
{
	if (policy)
	{
		// Written through a volatile pointer, or the compiler may leave out the wiping of memory that is freed next.
		volatile uint8_t* byte = policy->key;

		for (size_t i{ 0 }; i < Srtp3Policy::MaxKeyLength; ++i)
		{
			byte[i] = 0;
		}
	}

	delete policy;
}

inline srtp_err_status_t srtp_policy_set_ssrc(srtp_policy_t policy, srtp_ssrc_t ssrc)
{
	policy->policy.ssrc = ssrc;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_profile(srtp_policy_t policy, srtp_profile_t profile)
{
	policy->profile = profile;

	const auto status = srtp_crypto_policy_set_from_profile_for_rtp(&policy->policy.rtp, profile);

	if (status != srtp_err_status_ok)
	{
		return status;
	}

	// With AES128_CM_SHA1_32 only SRTP has the short tag, SRTCP keeps the one of 80 bits: libsrtp sees to that here.
	return srtp_crypto_policy_set_from_profile_for_rtcp(&policy->policy.rtcp, profile);
}

inline srtp_err_status_t srtp_policy_add_key(
  srtp_policy_t policy,
  const uint8_t* key,
  size_t keyLength,
  const uint8_t* salt,
  size_t saltLength,
  const uint8_t* /*mki*/,
  size_t mkiLength)
{
	if (
	  mkiLength != 0 || keyLength != srtp_profile_get_master_key_length(policy->profile) ||
	  saltLength != srtp_profile_get_master_salt_length(policy->profile) ||
	  keyLength + saltLength > Srtp3Policy::MaxKeyLength)
	{
		return srtp_err_status_bad_param;
	}

	std::memcpy(policy->key, key, keyLength);
	std::memcpy(policy->key + keyLength, salt, saltLength);
	policy->policy.key = policy->key;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_allow_repeat_tx(srtp_policy_t policy, bool allow)
{
	policy->policy.allow_repeat_tx = allow ? 1 : 0;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_window_size(srtp_policy_t policy, size_t size)
{
	policy->policy.window_size = static_cast<unsigned long>(size);

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_create(srtp_t* session, srtp_policy_t policy)
{
	return srtp_create(session, static_cast<const srtp2_policy_t*>(&policy->policy));
}

namespace Srtp3
{
	using InPlace = srtp_err_status_t (*)(srtp_t, void*, int*);

	// `growth` is what the call may add behind the packet: it must fit into the output.
	inline srtp_err_status_t Run(
	  InPlace call,
	  srtp_t session,
	  const uint8_t* in,
	  size_t inLength,
	  uint8_t* out,
	  size_t* outLength,
	  size_t growth)
	{
		if (inLength > static_cast<size_t>(INT_MAX) || inLength + growth > *outLength)
		{
			return srtp_err_status_buffer_small;
		}

		if (in != out)
		{
			std::memcpy(out, in, inLength);
		}

		int length        = static_cast<int>(inLength);
		const auto status = call(session, out, &length);

		if (status == srtp_err_status_ok)
		{
			*outLength = static_cast<size_t>(length);
		}

		return status;
	}
} // namespace Srtp3

inline srtp_err_status_t srtp_protect(
  srtp_t session, const uint8_t* rtp, size_t rtpLength, uint8_t* srtp, size_t* srtpLength, size_t /*mkiIndex*/)
{
	return Srtp3::Run(
	  static_cast<Srtp3::InPlace>(srtp_protect), session, rtp, rtpLength, srtp, srtpLength, SRTP_MAX_TRAILER_LEN);
}

inline srtp_err_status_t srtp_unprotect(
  srtp_t session, const uint8_t* srtp, size_t srtpLength, uint8_t* rtp, size_t* rtpLength)
{
	return Srtp3::Run(
	  static_cast<Srtp3::InPlace>(srtp_unprotect), session, srtp, srtpLength, rtp, rtpLength, 0);
}

inline srtp_err_status_t srtp_protect_rtcp(
  srtp_t session, const uint8_t* rtcp, size_t rtcpLength, uint8_t* srtcp, size_t* srtcpLength, size_t /*mkiIndex*/)
{
	// SRTCP puts a word with the packet index before the tag: libsrtp asks for "SRTP_MAX_TRAILER_LEN+4".
	return Srtp3::Run(
	  static_cast<Srtp3::InPlace>(srtp_protect_rtcp),
	  session,
	  rtcp,
	  rtcpLength,
	  srtcp,
	  srtcpLength,
	  SRTP_MAX_TRAILER_LEN + sizeof(uint32_t));
}

inline srtp_err_status_t srtp_unprotect_rtcp(
  srtp_t session, const uint8_t* srtcp, size_t srtcpLength, uint8_t* rtcp, size_t* rtcpLength)
{
	return Srtp3::Run(
	  static_cast<Srtp3::InPlace>(srtp_unprotect_rtcp), session, srtcp, srtcpLength, rtcp, rtcpLength, 0);
}

// Both versions want the SSRC in network byte order, which is how mediasoup gives it.
inline srtp_err_status_t srtp_stream_remove(srtp_t session, uint32_t ssrc)
{
	return srtp_remove_stream(session, ssrc);
}
