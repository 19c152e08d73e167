/* Functions between IA_TARGET_BEGIN(...) and IA_TARGET_END are compiled for further instructions of
 * x86, without flags per file, by gcc and clang alike. Include system headers before. */
#ifndef IA_KERNELS_TARGET_H
#define IA_KERNELS_TARGET_H

#define IA_TARGET_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define IA_TARGET_BEGIN(features)                                                                  \
    IA_TARGET_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define IA_TARGET_END _Pragma("clang attribute pop")
#else
#define IA_TARGET_BEGIN(features) _Pragma("GCC push_options") IA_TARGET_PRAGMA(GCC target(features))
#define IA_TARGET_END _Pragma("GCC pop_options")
#endif

#endif
