#!/usr/bin/env bash
# Installs the release VERSION of brunt from URL for the steps that follow, once its checksum is right.
set -euo pipefail
case ${RUNNER_OS}_${RUNNER_ARCH} in
  Linux_X64) system=linux_amd64.tar.gz ;;
  Linux_ARM64) system=linux_arm64.tar.gz ;;
  macOS_X64) system=darwin_amd64.tar.gz ;;
  macOS_ARM64) system=darwin_arm64.tar.gz ;;
  Windows_X64) system=windows_amd64.zip ;;
  Windows_ARM64) system=windows_arm64.zip ;;
  *) echo "::error::brunt has no release for $RUNNER_OS on $RUNNER_ARCH" && exit 1 ;;
esac
if [[ $VERSION != v* ]]; then
  echo "::error::'$VERSION' is no release of brunt: use the action at a tag such as v1.2.3, or set its input version" && exit 1
fi
dir=$RUNNER_TEMP/brunt-$VERSION
file=brunt_${VERSION#v}_$system
mkdir -p "$dir"
cd "$dir"
curl -fsSL --retry 3 -O "$URL/$VERSION/$file" -O "$URL/$VERSION/SHA256SUMS"
want=$(awk -v file="$file" '$2 == file { print $1 }' SHA256SUMS)
have=$( (command -v sha256sum >/dev/null && sha256sum "$file" || shasum -a 256 "$file") | cut -d' ' -f1)
if [ -z "$want" ] || [ "$want" != "$have" ]; then
  echo "::error::the checksum of $file is $have, want ${want:-one in SHA256SUMS}" && exit 1
fi
case $file in
  *.zip) unzip -q -o "$file" ;;
  *) tar -xzf "$file" ;;
esac
folder=${file%.zip}
path=$dir/${folder%.tar.gz}
if command -v cygpath >/dev/null; then path=$(cygpath -w "$path"); fi
echo "$path" >>"$GITHUB_PATH"
