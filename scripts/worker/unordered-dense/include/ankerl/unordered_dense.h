// The part of ankerl::unordered_dense that mediasoup uses, on Abseil's hash tables (which Debian has).
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/hash/hash.h>
#include <iterator>
#include <utility>

namespace ankerl::unordered_dense
{
	template<typename T>
	struct hash
	{
		auto operator()(const T& value) const noexcept -> size_t
		{
			return absl::Hash<T>{}(value);
		}
	};

	// Abseil's erase(iterator) returns nothing, so that it need not look for the next element. mediasoup erases while it
	// walks: `it = map.erase(it)`. Erasing does not move other elements in Abseil, so the next one can be taken before.
	template<typename Table>
	class Erasing : public Table
	{
	public:
		using Table::Table;
		using Table::erase;
		using iterator       = typename Table::iterator;
		using const_iterator = typename Table::const_iterator;

		iterator erase(iterator position)
		{
			auto next = std::next(position);

			Table::erase(position);

			return next;
		}
	};

	// Abseil's own defaults: they let a std::string be looked up by a string_view without a copy.
	template<typename Key>
	using DefaultHash = absl::container_internal::hash_default_hash<Key>;
	template<typename Key>
	using DefaultEqual = absl::container_internal::hash_default_eq<Key>;

	template<
	  typename Key,
	  typename Value,
	  typename Hash  = DefaultHash<Key>,
	  typename Equal = DefaultEqual<Key>>
	class map : public Erasing<absl::flat_hash_map<Key, Value, Hash, Equal>>
	{
	public:
		using Erasing<absl::flat_hash_map<Key, Value, Hash, Equal>>::Erasing;
	};

	template<typename Key, typename Hash = DefaultHash<Key>, typename Equal = DefaultEqual<Key>>
	class set : public Erasing<absl::flat_hash_set<Key, Hash, Equal>>
	{
	public:
		using Erasing<absl::flat_hash_set<Key, Hash, Equal>>::Erasing;
	};
} // namespace ankerl::unordered_dense
