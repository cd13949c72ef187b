#!/usr/bin/env bash
# proof.sh TREE BUILD: docs/proof.md says of every promise what holds it, and names nothing that does not exist.
# proof.sh --self-test: fails if it would miss a planted fault.
#
# A promise is a bullet `- M1 ...` below the line `Promises` of a comment in a header of src/mortise; every header that mortise.hpp
# includes makes some, but for those that only name things. Its row is `| M1 | in short | held by |` with at least one name
# in backquotes: a test as ctest calls it, `mutant x`, or a path. Tests are found in the sources, since some exist in one build only
# (checked, sanitized), and in what ctest reads in BUILD.
set -u

only_names=" mortise/base/outcome.hpp mortise/base/version.hpp "

promises() {  # TREE -> "ID header", and complaints that begin with !
  (cd "$1/src" && find mortise -name '*.hpp' | sort | xargs -r awk '
    FNR == 1 { inside = 0 }
    /^ *\/\/ Promises( |:|$)/ { inside = 1; print "+ " FILENAME; next }
    !/^ *\/\/ ./ || /^ *\/\/ (Does not|Several)/ { inside = 0 }
    inside && /^ *\/\/ - / {
      if ($3 ~ /^[A-Z]+[0-9]+$/) print $3 " " FILENAME
      else print "! " FILENAME ":" FNR ": a promise without a name of its own, such as M1"
    }')
}

tests() {  # TREE BUILD -> names
  local tree=$1 build=$2 file prefix
  (cd "$tree" && find src/mortise app tests -name '*.[chi]pp' 2>/dev/null | xargs -r grep -lE 'TEST(_[FP])?\(') |
    while IFS= read -r file; do
      case $file in
        src/mortise/*) prefix=${file#src/mortise/} ;;
        tests/*) prefix=${file#tests/} ;;
        *) prefix=$file ;;
      esac
      prefix=${prefix%%/*}
      case $file in app/*/*) prefix="$prefix ${prefix}_$(basename "$(dirname "$file")")" ;; esac  # app_lock.x, and app/run has app.x
      tr '\n' ' ' <"$tree/$file" | grep -oE '(^| )(TYPED_)?TEST(_F|_P)?\( *[A-Za-z_0-9]+, *[A-Za-z_0-9]+ *\)' |
        sed -E "s/.*\( *([A-Za-z_0-9]+), *([A-Za-z_0-9]+) *\)/.\1.\2/" | while IFS= read -r name; do
          for one in $prefix; do echo "$one$name"; done
        done
    done
  # models: tests/explore/verify.hpp
  (cd "$tree" && find src/mortise tests -name '*_model.cpp' 2>/dev/null) | while IFS= read -r file; do
    prefix=${file#src/mortise/}
    prefix=${prefix#tests/}
    tr '\n' ' ' <"$tree/$file" | grep -oE 'EXPLORE(_FAULT)?\( *[A-Za-z_0-9]+, *[A-Za-z_0-9]+ *[,)]' |
      sed -E "s/.*\( *([A-Za-z_0-9]+), *([A-Za-z_0-9]+) *[,)]/model.${prefix%%/*}.\1.\2/"
  done
  find "$build" \( -name CTestTestfile.cmake -o -name '*_tests.cmake' \) -exec sed -nE \
    -e 's/^add_test\(\[=*\[(.*)\]=*\].*/\1/p' -e 's/^add_test\(([A-Za-z_0-9.]+) .*/\1/p' {} +
  sed -nE 's/^ *planted\(([a-z_]+) .*/sanitizers.\1/p' "$tree/tests/sanitizers/CMakeLists.txt" 2>/dev/null
}

check() {  # TREE BUILD -> complaints
  local tree=$1 build=$2 page=$1/docs/proof.md made known id header rows name
  made=$(promises "$tree")
  known=$(tests "$tree" "$build" | sort -u)
  grep '^! ' <<<"$made" | cut -c3-
  sed -nE 's/^ *# *include <(mortise\/[a-z]+\/[a-z_]+\.hpp)>.*/\1/p' "$tree/src/mortise/mortise.hpp" | while IFS= read -r header; do
    [[ $only_names == *" $header "* ]] || grep -qE "^[A-Z]+[0-9]+ $header$" <<<"$made" || echo "$header promises nothing"
  done
  made=$(grep -E '^[A-Z]+[0-9]+ ' <<<"$made")
  cut -d' ' -f1 <<<"$made" | sort | uniq -d | sed 's/$/ is the name of two promises/'
  while read -r id header; do
    [ -n "$id" ] || continue
    rows=$(grep -cE "^\| $id \|" "$page")
    [ "$rows" = 1 ] || echo "$id of $header has $rows rows in docs/proof.md"
    grep -qxF "### $header" "$page" || echo "$header has no heading in docs/proof.md"
  done <<<"$made"
  sed -nE 's/^\| ([A-Z]+[0-9]+) \|.*/\1/p' "$page" | while read -r id; do
    grep -q "^$id " <<<"$made" || echo "$id is promised by no header"
  done
  grep -E '^\| [A-Z]+[0-9]+ \|' "$page" | grep -vE '\|[^|]*\|[^|]*\|[^|]*`[^`]+`[^|]*\|' | sed -E 's/^\| ([A-Z]+[0-9]+) .*/\1 is held by nothing/'
  sed -nE '/^\|/p' "$page" | grep -oE '`[^`]+`' | tr -d '`' | sort -u | while IFS= read -r name; do
    if grep -qxF -- "$name" <<<"$known"; then continue; fi
    case $name in
      'mutant '*) [ -f "$tree/tests/mutants/${name#mutant }.patch" ] || echo "there is no $name" ;;
      */*) [ -f "$tree/$name" ] || echo "there is no file $name" ;;
      *) echo "there is no test $name" ;;
    esac
  done
}

self_test() {
  tree=$(mktemp -d) || exit 1
  trap 'rm -rf "$tree"' EXIT
  mkdir -p "$tree"/{build,docs,models,tests/mutants,tests/sanitizers,src/mortise/lock}
  printf 'add_test([=[tidy.x]=] "bash" "x")\nadd_test(soak.brief "soak")\n' >"$tree/build/CTestTestfile.cmake"
  touch "$tree/models/word.pml" "$tree/tests/mutants/lost_wake.patch"
  printf '#include <mortise/lock/a.hpp>\n' >"$tree/src/mortise/mortise.hpp"
  printf 'TEST(thing,\n     holds) {}\nTEST_P(pair, meets) {}\n' >"$tree/src/mortise/lock/a_test.cpp"
  bad=0
  expect() {  # COUNT WHAT HEADER_LINE ROW...: how many complaints
    local count=$1 what=$2 line=$3 found
    shift 3
    printf '// Promises\n%s\nclass a;\n' "$line" >"$tree/src/mortise/lock/a.hpp"
    { echo '### mortise/lock/a.hpp'; printf '%s\n' "$@"; } >"$tree/docs/proof.md"
    found=$(check "$tree" "$tree/build")
    [ "$(grep -c . <<<"$found")" = "$count" ] || { echo "$what: not $count but: $found"; bad=1; }
  }
  local row='| A1 | holds | `lock.thing.holds` |' made='// - A1 It holds.'
  expect 0 'all is well' "$made" "$row"
  expect 0 'all kinds of names' "$made" '| A1 | holds | `lock.pair.meets`, `tidy.x`, `soak.brief`, `mutant lost_wake`, `models/word.pml` |'
  expect 1 'a test that does not exist' "$made" '| A1 | holds | `lock.thing.holds`, `lock.thing.shines` |'
  expect 1 'a model that does not exist' "$made" '| A1 | holds | `models/none.pml` |'
  expect 1 'a mutant that does not exist' "$made" '| A1 | holds | `mutant none` |'
  expect 1 'a promise without a row' "$(printf '%s\n' "$made" '// - A2 It shines.')" "$row"
  expect 1 'a row without a promise' "$made" "$row" '| A2 | shines | `lock.thing.holds` |'
  expect 1 'a row that names nothing' "$made" '| A1 | holds | we hope so |'
  expect 1 'two rows' "$made" "$row" "$row"
  expect 1 'a promise without a name' "$(printf '%s\n' "$made" '// - It shines.')" "$row"
  expect 2 'a public header without promises, and a row for none' '// Cost: none' "$row"
  expect 1 'two promises of one name' "$(printf '%s\n' "$made" "$made")" "$row"
  return $bad
}

if [ "$1" = --self-test ]; then self_test; exit; fi
complaints=$(check "$1" "$2" | sort -u)
[ -z "$complaints" ] && exit 0
printf '%s\n' "$complaints"
exit 1
