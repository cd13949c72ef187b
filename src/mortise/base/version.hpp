#pragma once

// The one place where mortise's version is written; the build reads it from here.
#define MORTISE_VERSION_MAJOR 0
#define MORTISE_VERSION_MINOR 1
#define MORTISE_VERSION_PATCH 0

#define MORTISE_DETAIL_QUOTE_(x) #x
#define MORTISE_DETAIL_QUOTE(x) MORTISE_DETAIL_QUOTE_(x)
#define MORTISE_VERSION                       \
  MORTISE_DETAIL_QUOTE(MORTISE_VERSION_MAJOR) \
  "." MORTISE_DETAIL_QUOTE(MORTISE_VERSION_MINOR) "." MORTISE_DETAIL_QUOTE(MORTISE_VERSION_PATCH)
