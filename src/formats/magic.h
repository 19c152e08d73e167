/* Telling formats by their first bytes. Only looks; a true answer promises nothing about the rest.
 */
#ifndef IA_FORMATS_MAGIC_H
#define IA_FORMATS_MAGIC_H

#include "base/input.h"

bool ia_magic_keras(const ia_input *in); /* ZIP that begins as Keras 3's */
bool ia_magic_torch(const ia_input *in); /* ZIP with a data.pkl, or the older pickle */
bool ia_magic_npz(const ia_input *in);   /* ZIP that begins with an array */
bool ia_magic_safetensors(const ia_input *in);
bool ia_magic_tflite(const ia_input *in);
bool ia_magic_lfs(const ia_input *in); /* a Git LFS pointer */
bool ia_magic_onnx(const ia_input *in);
bool ia_magic_savedmodel(const ia_input *in); /* saved_model.pb itself */

#endif
